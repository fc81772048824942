import type { SipMessage, Uri } from "@ims/sip";
import type { Peer } from "./peers.ts";

/** What the beginning of a number becomes at the border; the longest prefix counts. */
export interface NumberRule {
  readonly prefix: string;
  readonly replacement: string;
}

const NUMBER = /^\+?[0-9*#().-]{1,48}$/;

/**
 * Request-URI of what a peer sends (TS 24.229 §5.10.3.2, RFC 3261 §19.1.6): addressed to us, it is for the home network; a
 * number, or what was dialled, becomes what the rules of the peer say, global ones as user=phone, which the I-CSCF looks up
 * as a tel URI.
 */
export function enterNumber(
  request: SipMessage,
  { incomingNumbers }: Peer,
  homeDomain: string,
  isUs: (uri: Uri) => boolean,
): void {
  const { target } = request;
  if (target === undefined) return;
  const numbered = numberOf(target);
  if (target.scheme === "tel") {
    if (numbered === undefined || incomingNumbers.length === 0) return;
    const digits = applyRules(numbered.digits, incomingNumbers);
    if (digits !== numbered.digits && digits.startsWith("+")) request.requestUri = `tel:${digits}`;
    return;
  }
  if (target.scheme !== "sip" && target.scheme !== "sips") return;
  const kind = target.parameters.get("user")?.toLowerCase();
  const ours = isUs(target);
  if (!ours && target.host !== homeDomain) return;
  if (numbered !== undefined && (ours || kind !== undefined)) {
    const digits = applyRules(numbered.digits, incomingNumbers);
    const more = digits.startsWith("+") && !numbered.digits.startsWith("+") ? "" : numbered.parameters;
    const user = digits.startsWith("+") ? "phone" : (kind ?? "");
    request.requestUri = `${target.scheme}:${escaped(digits)}${more}@${homeDomain}${user === "" ? "" : `;user=${user}`}`;
  } else if (ours && target.user !== "")
    request.requestUri = `${target.scheme}:${target.user}@${homeDomain}${kind === undefined ? "" : `;user=${kind}`}`;
}

/** Request-URI of what goes to a peer: numbers as its agreement says, in a SIP URI of its own (RFC 3261 §19.1.6). */
export function leaveNumber(
  request: SipMessage,
  { numberHost, outgoingNumbers }: Peer,
  homeDomains: ReadonlySet<string>,
): void {
  const { target } = request;
  if (target === undefined) return;
  const isTel = target.scheme === "tel";
  const kind = target.parameters.get("user")?.toLowerCase();
  if (!isTel && (kind === undefined || !homeDomains.has(target.host))) return;
  const numbered = numberOf(target);
  if (numbered === undefined) return;
  const digits = applyRules(numbered.digits, outgoingNumbers);
  const { parameters } = numbered;
  if (numberHost !== undefined)
    request.requestUri = `sip:${escaped(digits)}${parameters}@${numberHost};user=${kind ?? "phone"}`;
  else if (digits !== numbered.digits)
    request.requestUri = isTel
      ? `tel:${digits}${parameters}`
      : `${target.scheme}:${escaped(digits)}${parameters}@${target.host};user=${kind}`;
}

/** Digits without visual separators, and the parameters of the number as written (RFC 3966 §5.1). */
export function numberOf(uri: Uri): { readonly digits: string; readonly parameters: string } | undefined {
  const semicolon = uri.scheme === "tel" ? -1 : uri.user.indexOf(";");
  const text = (semicolon < 0 ? uri.user : uri.user.slice(0, semicolon))
    .replace(/%23/g, "#")
    .replace(/%2b/gi, "+");
  if (!NUMBER.test(text)) return undefined;
  const parameters =
    uri.scheme === "tel" ? uri.parameters.toString() : semicolon < 0 ? "" : uri.user.slice(semicolon);
  return { digits: text.replace(/[().-]/g, ""), parameters };
}

function applyRules(digits: string, rules: readonly NumberRule[]): string {
  let best: NumberRule | undefined;
  for (const rule of rules)
    if (digits.startsWith(rule.prefix) && (best === undefined || rule.prefix.length > best.prefix.length))
      best = rule;
  return best === undefined ? digits : best.replacement + digits.slice(best.prefix.length);
}

/** "#" may not stand in a user part (RFC 3261 §25.1). */
function escaped(digits: string): string {
  return digits.replaceAll("#", "%23");
}

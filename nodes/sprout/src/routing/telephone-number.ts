import { Parameters, type ReadonlyParameters, type Uri } from "@ims/sip";

/** A telephone number out of a tel URI, or out of a SIP URI of this network that stands for one (RFC 3966, RFC 3261 §19.1.6). */
export interface TelephoneNumber {
  readonly kind: "global" | "local";
  /** Without visual separators; a global one begins with "+". */
  readonly digits: string;
  /** phone-context of a local number, lower case, a global one without visual separators; else the home domain. */
  readonly context: string;
  /** Parameters of the number: npdi, rn, cic, ext and so on. */
  readonly parameters: ReadonlyParameters;
}

export interface NumberingOptions {
  readonly homeDomain: string;
  readonly aliasDomains: readonly string[];
  /** A SIP URI without user=phone is no telephone number, whatever it looks like. */
  readonly enforceUserPhone: boolean;
}

const GLOBAL = /^\+[0-9().-]*[0-9][0-9().-]*$/;
/** RFC 3966 local-number-digits, and the pauses of RFC 4967. */
const LOCAL = /^[0-9A-FPXa-fpx*#().-]*[0-9A-Fa-f*#][0-9A-FPXa-fpx*#().-]*$/;
const MAX_DIGITS = 32;

/** Undefined for what is no telephone number, or not this network's to interpret. */
export function readTelephoneNumber(uri: Uri, options: NumberingOptions): TelephoneNumber | undefined {
  const { homeDomain } = options;
  if (uri.scheme === "tel") return numberOf(uri.user, uri.parameters, homeDomain);
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return undefined;
  // Cheap for what is none: most users have names.
  const kind = uri.parameters.get("user")?.toLowerCase();
  if (kind === undefined && (options.enforceUserPhone || !/^(?:\+|%2b)/i.test(uri.user))) return undefined;
  if (kind !== undefined && kind !== "phone" && kind !== "dialstring") return undefined;
  if (uri.host !== homeDomain && !options.aliasDomains.includes(uri.host)) return undefined;
  const user = unescaped(uri.user);
  const semicolon = user.indexOf(";");
  const parameters = semicolon < 0 ? new Parameters() : Parameters.parse(user, semicolon);
  if (parameters === undefined) return undefined;
  return numberOf(semicolon < 0 ? user : user.slice(0, semicolon), parameters, homeDomain);
}

/** Without visual separators (RFC 3966 §5.1.1), letters in upper case. */
export function bareDigits(text: string): string {
  return text.replace(/[().-]/g, "").toUpperCase();
}

/** A phone-context in the form in which two are compared (RFC 3966 §5.1.5). */
export function canonicalContext(text: string): string {
  return text.startsWith("+") ? bareDigits(text) : text.toLowerCase().replace(/\.$/, "");
}

function numberOf(
  text: string,
  parameters: ReadonlyParameters,
  homeDomain: string,
): TelephoneNumber | undefined {
  if (text.length > 3 * MAX_DIGITS) return undefined;
  const digits = bareDigits(text);
  if (digits.length > MAX_DIGITS + 1) return undefined;
  if (GLOBAL.test(text)) return { kind: "global", digits, context: "", parameters };
  if (!LOCAL.test(text)) return undefined;
  // Without one (which RFC 3966 forbids) the number is of the home network, where it came to.
  const context = canonicalContext(parameters.get("phone-context") ?? homeDomain);
  return { kind: "local", digits, context, parameters };
}

/** Only what may stand in a tel URI by itself: anything else stays escaped, line ends above all. */
function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-_.!~*'()+#]/.test(char) ? char : whole;
  });
}

/** The number as a tel URI, with its parameters. */
export function telUriOf(digits: string, parameters: ReadonlyParameters): string {
  let text = `tel:${digits}`;
  for (const name of parameters.names) {
    if (name === "phone-context") continue;
    const value = parameters.raw(name);
    text += value === undefined || value === "" ? `;${name}` : `;${name}=${value}`;
  }
  return text;
}

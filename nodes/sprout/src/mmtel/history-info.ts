import type { SipMessage } from "@ims/sip";

/** Why a call was diverted: RFC 4458 §3.1, TS 24.604 §4.5.2.6. */
export const Cause = {
  UNCONDITIONAL: 302,
  NOT_REGISTERED: 404,
  NO_REPLY: 408,
  DEFLECTION_IMMEDIATE: 480,
  BUSY: 486,
  DEFLECTION_WHILE_ALERTING: 487,
  NOT_REACHABLE: 503,
} as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

const DIVERSION = /;cause=(?:302|404|408|480|486|487|503)(?=[;?>])/i;

/** How often the call has been diverted. */
export function diversions(request: SipMessage): number {
  return request.values("History-Info").filter((entry) => DIVERSION.test(entry)).length;
}

export function isDiverted(request: SipMessage): boolean {
  return request.has("History-Info") && diversions(request) > 0;
}

export interface DiversionEntry {
  /** Request-URI of the diverted request, with its cause. */
  readonly target: string;
  /** Final response that led to it, 0: none. */
  readonly status: number;
  /** May who sees it learn who has diverted (escaped Privacy, RFC 7044 §10.1)? */
  readonly revealsDiverting: boolean;
  readonly revealsTarget: boolean;
}

/** History of a diverted request: RFC 7044 §10.3, §10.4: an entry of who was called, and one of where it goes ("mp": another user). */
export function diversionHistory(request: SipMessage, given: DiversionEntry): readonly string[] {
  const entries = request.values("History-Info");
  const last = entries.at(-1);
  if (last === undefined) entries.push(`<${request.requestUri}>;index=1`);
  else if (uriOf(last) !== request.requestUri)
    entries.push(`<${request.requestUri}>;index=${indexOf(last)}.1`);
  const diverting = entries.pop() ?? "";
  const index = indexOf(diverting);
  const about: string[] = [];
  // RFC 7044 §10.2: what the target answered.
  if (given.status >= 300) about.push(`Reason=SIP%3Bcause%3D${given.status}`);
  if (!given.revealsDiverting) about.push("Privacy=history");
  const hidden = given.revealsTarget ? [] : ["Privacy=history"];
  return [
    ...entries,
    withHeaders(diverting, about),
    withHeaders(`<${given.target}>;index=${index}.1;mp=${index}`, hidden),
  ];
}

/** A target with its cause, as a URI parameter: RFC 4458 §2. */
export function withCause(target: string, cause: Cause): string {
  const question = target.indexOf("?");
  const [uri, headers] = question < 0 ? [target, ""] : [target.slice(0, question), target.slice(question)];
  return `${uri.replace(/;cause=[^;]*/gi, "")};cause=${cause}${headers}`;
}

function withHeaders(entry: string, headers: readonly string[]): string {
  const close = entry.indexOf(">");
  if (headers.length === 0 || close < 0) return entry;
  const separator = entry.slice(0, close).includes("?") ? "&" : "?";
  return `${entry.slice(0, close)}${separator}${headers.join("&")}${entry.slice(close)}`;
}

/** Without the headers in it. */
function uriOf(entry: string): string {
  const [, uri = ""] = /<([^>?]*)/.exec(entry) ?? [];
  return uri;
}

function indexOf(entry: string): string {
  const [, index = "1"] =
    /;\s*index\s*=\s*([0-9]{1,9}(?:\.[0-9]{1,9}){0,63})/i.exec(entry.slice(entry.indexOf(">"))) ?? [];
  return index;
}

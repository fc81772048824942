import { isOf, isSpace, TOKEN } from "./chars.ts";
import { Parameters } from "./parameters.ts";
import { parseHostPort } from "./uri.ts";

/** One Via value: RFC 3261 §20.42, RFC 3581. */
export interface Via {
  /** Upper case: UDP, TCP, TLS, WS, WSS or another token. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  /** As written; "" when absent. */
  readonly branch: string;
  readonly parameters: Parameters;
  /** True for SIP/2.0. */
  readonly sip20: boolean;
}

export const MAGIC_COOKIE = "z9hG4bK";

/** sent-protocol, LWS, sent-by and parameters; undefined when malformed. One pass; spaces may surround "/" and ":". */
export function parseVia(text: string): Via | undefined {
  const semicolon = text.indexOf(";");
  const headEnd = semicolon < 0 ? text.length : semicolon;
  const scan = { text, at: 0, end: headEnd };

  // 1. sent-protocol
  const protocol = nextToken(scan);
  if (protocol === "" || !skipSlash(scan)) return undefined;
  const version = nextToken(scan);
  if (version === "" || !skipSlash(scan)) return undefined;
  const transport = nextToken(scan);
  if (transport === "" || scan.at >= headEnd || !isSpace(text.charCodeAt(scan.at))) return undefined;

  // 2. sent-by
  skipSpace(scan);
  let end = headEnd;
  while (end > scan.at && isSpace(text.charCodeAt(end - 1))) end--;
  const sentBy = text.slice(scan.at, end);
  const hostport = parseHostPort(sentBy) ?? parseHostPort(sentBy.replace(/\s*:\s*(?=\d+$)/, ":"));

  // 3. via-params
  const parameters = semicolon < 0 ? new Parameters() : Parameters.parse(text, semicolon);
  if (hostport === undefined || parameters === undefined) return undefined;
  return {
    transport: transport.toUpperCase(),
    host: hostport.host,
    port: hostport.port,
    branch: parameters.get("branch") ?? "",
    parameters,
    sip20: version === "2.0" && protocol.toUpperCase() === "SIP",
  };
}

interface Scan {
  readonly text: string;
  readonly end: number;
  at: number;
}

function skipSpace(scan: Scan): void {
  while (scan.at < scan.end && isSpace(scan.text.charCodeAt(scan.at))) scan.at++;
}

function nextToken(scan: Scan): string {
  skipSpace(scan);
  const start = scan.at;
  while (scan.at < scan.end && isOf(TOKEN, scan.text.charCodeAt(scan.at))) scan.at++;
  return scan.text.slice(start, scan.at);
}

function skipSlash(scan: Scan): boolean {
  skipSpace(scan);
  return scan.at < scan.end && scan.text.charCodeAt(scan.at++) === 0x2f;
}

/** Where a request came from, as its top Via says: RFC 3261 §18.2.2, RFC 3581 §4. A name where it has one; no port: what DNS or the transport says. */
export function sentFrom({ host, port, parameters }: Via): { address: string; port: number | undefined } {
  const address = (parameters.get("received") ?? host).replace(/^\[|\]$/g, "");
  const rport = Number(parameters.get("rport") ?? "");
  return { address, port: rport > 0 ? rport : port };
}

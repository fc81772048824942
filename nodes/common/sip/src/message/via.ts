import { Parameters } from "./parameters.ts";
import { parseHostPort } from "./uri.ts";
import { isToken } from "./values.ts";

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

export function parseVia(text: string): Via | undefined {
  const semicolon = text.indexOf(";");
  const head = text.slice(0, semicolon < 0 ? text.length : semicolon).trim();
  // Longer than any real sent-by; keeps the expressions below linear in practice.
  if (head.length > 512) return undefined;
  const match = /^([^\s/]+)\s*\/\s*([^\s/]+)\s*\/\s*([^\s/]+)\s+(\S(?:.*\S)?)$/s.exec(head);
  if (match === null) return undefined;
  const [, protocol = "", version = "", transport = "", sentBy = ""] = match;
  if (!isToken(protocol) || !isToken(version) || !isToken(transport)) return undefined;
  const hostport = parseHostPort(sentBy.replace(/\s*:\s*(?=\d+$)/, ":"));
  const parameters = semicolon < 0 ? new Parameters() : Parameters.parse(text, semicolon);
  if (hostport === undefined || parameters === undefined) return undefined;
  return {
    transport: transport.toUpperCase(),
    host: hostport.host,
    port: hostport.port,
    branch: parameters.get("branch") ?? "",
    parameters,
    sip20: protocol.toUpperCase() === "SIP" && version === "2.0",
  };
}

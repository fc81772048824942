import { EtcdError } from "./errors.ts";

/** Where one member of the etcd cluster is asked. */
export interface Endpoint {
  /** Origin in the spelling of WHATWG URL: http://10.0.0.1:2379 */
  readonly url: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `http://10.0.0.1:2379,https://[2001:db8::1]:2379`; without a port it is 2379 (IANA: etcd-client).
 * @throws EtcdError ETCD_ENDPOINT
 */
export function parseEndpoints(text: string): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const endpoint = parseEndpoint(part);
    endpoints.set(endpoint.url, endpoint);
  }
  if (endpoints.size === 0) throw fault(text, "no endpoint");
  return [...endpoints.values()];
}

function parseEndpoint(text: string): Endpoint {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw fault(text, "write http://host:port or https://host:port");
  if (url.username !== "" || url.password !== "")
    throw fault(url.host, "an endpoint has no user and no password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw fault(text, "an endpoint has no path");
  const secure = url.protocol === "https:";
  const named = /:([0-9]+)\/?$/.exec(text)?.[1];
  const port = named === undefined ? 2379 : Number(named);
  if (port < 1) throw fault(text, "port 0");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { url: `${url.protocol}//${url.hostname}:${port}`, secure, host, port };
}

function fault(text: string, problem: string): EtcdError {
  return new EtcdError({ code: "ETCD_ENDPOINT", text, problem });
}

import { StoreError } from "../errors.ts";

/** A memcached. `id`, the address as text, decides which entries it holds: write it alike on every node. */
export interface ServerAddress {
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 11211;

/**
 * Reads "10.0.0.1:11211,10.0.0.2:11211"; the port may be left out, an IPv6 address stands in brackets.
 * @throws StoreError STORE_SERVER_LIST
 */
export function parseServers(text: string): ServerAddress[] {
  const servers = new Map<string, ServerAddress>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const server = parseServer(part);
    if (server === undefined)
      throw new StoreError({ code: "STORE_SERVER_LIST", text: part, problem: "not host:port" });
    servers.set(server.id, server);
  }
  if (servers.size === 0) throw new StoreError({ code: "STORE_SERVER_LIST", text, problem: "no server" });
  return [...servers.values()];
}

function parseServer(text: string): ServerAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2] ?? "").toLowerCase();
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (port < 1 || port > 65_535) return undefined;
  return { id: `${match[1] === undefined ? host : `[${host}]`}:${port}`, host, port };
}

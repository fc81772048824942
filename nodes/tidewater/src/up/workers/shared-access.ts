import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { createServer, isIPv6 } from "node:net";
import { openUdpSockets } from "@ims/sip";
import { type NodeOption, portOf } from "../nodes.ts";

/** The ports of the access side of bono: option, default. */
const PORTS = [
  ["sip-port", 5060],
  ["ws-port", 5062],
] as const;
const SECURE_PORTS = [
  ["tls-port", 5061],
  ["wss-port", 5063],
] as const;

/** The access side that the workers of a bono share. */
export interface SharedAccess {
  /** An IP address. */
  readonly host: string;
  /** One for each worker; empty without the UDP add-on: workers open their own. */
  readonly udpSockets: readonly number[];
}

/**
 * Takes the access side for workers: nobody else has its ports, and the UDP sockets stay open here, so that a worker that is started
 * again goes on with the UEs it had. Throws one line when a port cannot be had.
 */
export async function openAccess(
  { host: name, count }: { readonly host: string; readonly count: number },
  set: readonly NodeOption[],
): Promise<SharedAccess> {
  const host = (await lookup(name)).address;
  const isSecure = set.some(({ node, option }) => node === "bono" && /^tls-cert/.test(option));
  for (const [option, usual] of isSecure ? [...PORTS, ...SECURE_PORTS] : PORTS) {
    const port = Number(portOf("bono", option, usual, set));
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`--set bono.${option}=${port}: workers share a port, which must be known: 1 to 65535`);
    await checkTcp(host, port);
  }
  const port = Number(portOf("bono", "sip-port", 5060, set));
  try {
    await checkUdp(host, port);
    const sockets = openUdpSockets(host, port, count);
    return { host, udpSockets: sockets?.descriptors ?? [] };
  } catch (error) {
    throw new Error(`bono cannot listen on UDP ${host}:${port}: ${codeOf(error)}`, { cause: error });
  }
}

/** A second core would be given its share of the UEs of the first: a port that others have is not shared with them. */
function checkTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) =>
      reject(new Error(`bono cannot listen on TCP ${host}:${port}: ${codeOf(error)}`, { cause: error })),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function checkUdp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    socket.once("error", (error) => socket.close(() => reject(error)));
    socket.bind({ port, address: host, exclusive: true }, () => void socket.close(() => resolve()));
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

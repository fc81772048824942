import { isLoopback } from "@ims/runtime";
import { peerRange } from "./peer-range.ts";

/** RFC 8656 §7.2: relayed transport addresses are dynamic ports. */
export const TURN_RELAY_PORTS = { first: 49_152, last: 65_535 } as const;
export const TURN_PORT = 3478;

export interface CoturnOptions {
  /** Shared with who hands out credentials. */
  readonly secret: string;
  readonly realm: string;
  /** Where users reach it, and where it relays from: IPv4, IPv6 or both. */
  readonly addresses: readonly string[];
  /** Networks and addresses that nothing is relayed to, beside those where no phone is. */
  readonly denied: readonly string[];
  /** Files of its own are here: a directory that it may write. */
  readonly folder: string;
  readonly port?: number;
  readonly relayPorts?: { readonly first: number; readonly last: number };
}

/** Where nobody is called: this machine, its link (where clouds answer for their metadata), nowhere, everybody. */
const NOBODY = [
  ...["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"],
  ...["::/127", "::ffff:0:0/96", "64:ff9b::/96", "fe80::/10", "ff00::/8"],
];

/** Allocations of one user: a call has one for each URI and address family. */
const USER_QUOTA = 24;
/** Bytes a second of one allocation: video, but no more. */
const MAX_BYTES = 500_000;

/**
 * turnserver.conf of coturn: credentials after the TURN REST API, a relay for UDP and nothing else, no way into the networks of the
 * operator. A RangeError names what is no network.
 */
export function coturnConfiguration(options: CoturnOptions): string {
  const { secret, realm, addresses, denied, folder, port = TURN_PORT } = options;
  const { first, last } = options.relayPorts ?? TURN_RELAY_PORTS;
  // For labs: one that is on loopback relays from there to there, to its own addresses only.
  const isLab = addresses.every(isLoopback);
  return [
    ...addresses.flatMap((address) => [`listening-ip=${address}`, `relay-ip=${address}`]),
    `listening-port=${port}`,
    `min-port=${first}`,
    `max-port=${last}`,
    "fingerprint",
    "use-auth-secret",
    `static-auth-secret=${secret}`,
    `realm=${realm}`,
    "stale-nonce=600",
    `user-quota=${USER_QUOTA}`,
    `total-quota=${Math.floor((last - first + 1) / 2)}`,
    `max-bps=${MAX_BYTES}`,
    ...["no-tls", "no-dtls", "no-cli", "no-tcp-relay", "no-multicast-peers", "no-software-attribute"],
    // coturn 4.6 wants a password of its CLI with that, also where there is no CLI.
    ...(isLab ? ["allow-loopback-peers", "cli-password=none"] : []),
    // Two users of one server talk from one of its relayed addresses to another.
    ...addresses.map((address) => `allowed-peer-ip=${address}`),
    ...[...NOBODY, ...denied].map((network) => `denied-peer-ip=${range(network)}`),
    `userdb=${folder}/turn.db`,
    `pidfile=${folder}/turn.pid`,
    "log-file=stdout",
    "simple-log",
    "",
  ].join("\n");
}

function range(network: string): string {
  const text = peerRange(network);
  if (text === undefined) throw new RangeError(`${JSON.stringify(network)} is no address or network`);
  return text;
}

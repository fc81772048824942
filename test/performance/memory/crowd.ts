import type { User } from "../users.ts";

const FIRST_NETWORK = 160;
const HOSTS_PER_NETWORK = 250;
const NETWORKS_PER_PREFIX = 250;
/** Loopback addresses from 127.160 to 127.191 in steps that are easy to read. */
export const LARGEST_CROWD = 32 * NETWORKS_PER_PREFIX * HOSTS_PER_NETWORK;

/** The member of a crowd of UEs with this number: each has a loopback address of its own. */
export function memberOf(number: number): User {
  const last = (number % HOSTS_PER_NETWORK) + 1;
  const network = Math.floor(number / HOSTS_PER_NETWORK);
  const third = network % NETWORKS_PER_PREFIX;
  const second = FIRST_NETWORK + Math.floor(network / NETWORKS_PER_PREFIX);
  const name = `m${String(number).padStart(7, "0")}`;
  return { address: `127.${second}.${third}.${last}`, name, password: `pw-${name}` };
}

/** A UE of the bench: every one has a loopback address of its own, because the peer tells UEs apart by address. */
export type User = { readonly address: string; readonly name: string; readonly password: string };

/** Callers, callees, and those who only register again and again. */
export type Group = "a" | "b" | "c";
const network: Record<Group, number> = { a: 10, b: 20, c: 30 };
const HOSTS_PER_NETWORK = 250;

export function usersOf(group: Group, count: number, from = 0, lane = 0): User[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const [third, last] = [Math.floor(number / HOSTS_PER_NETWORK), (number % HOSTS_PER_NETWORK) + 1];
    const name = `${group}${String(number).padStart(6, "0")}`;
    return { address: `127.${network[group] + lane}.${third}.${last}`, name, password: `pw-${name}` };
  });
}

/** A row of SIPp's injection file. */
export function registerRow({ address, name, password }: User, domain: string): string[] {
  return [address, name, `[authentication username=${name}@${domain} password=${password}]`];
}

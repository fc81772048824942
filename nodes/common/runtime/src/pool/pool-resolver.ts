import { isIP } from "node:net";
import type { DnsAnswer, DnsResolver } from "../dns/resolver.ts";
import type { Pools } from "./pools.ts";

/** How long an answer may be kept by those who do not listen for changes. */
const TTL_SECONDS = 1;

/**
 * The pools before the DNS, behind the same port: names of pools and below are answered from the pools file, all others are
 * asked of `dns`. SRV of a pool: its members, equal; of a member: itself first, then the others (RFC 3263 §4.3 does the rest).
 */
export function poolResolver(pools: Pools, dns: DnsResolver): DnsResolver {
  let turn = 0;
  function answer<T>(records: readonly T[]): DnsAnswer<T> {
    return records.length === 0
      ? { kind: "notFound", ttlSeconds: TTL_SECONDS }
      : { kind: "found", records, ttlSeconds: TTL_SECONDS };
  }
  return {
    async naptr(anyName) {
      const name = canonical(anyName);
      return pools.zone.covers(name) ? answer(pools.zone.naptr(name)) : dns.naptr(anyName);
    },
    async srv(anyName) {
      const name = canonical(anyName);
      return pools.zone.covers(name) ? answer(pools.zone.srv(name)) : dns.srv(anyName);
    },
    async addresses(anyName, family) {
      const name = canonical(anyName);
      if (!pools.zone.covers(name)) return dns.addresses(anyName, family);
      const all = pools.zone.addresses(name);
      const count = pools.zone.nearAddresses(name);
      const ofFamily = (address: string): boolean => isIP(address) === family;
      const own = (count === all.length ? all : all.slice(0, count)).filter(ofFamily);
      // In turn, as DNS servers do: many clients take the first. Those of the other site stay behind.
      const first = own.length < 2 ? 0 : turn++ % own.length;
      const far = count === all.length ? [] : all.slice(count).filter(ofFamily);
      return answer([...own.slice(first), ...own.slice(0, first), ...far]);
    },
  };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

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
      const own = pools.zone.addresses(name).filter((address) => isIP(address) === family);
      // In turn, as DNS servers do: many clients take the first.
      const first = own.length < 2 ? 0 : turn++ % own.length;
      return answer([...own.slice(first), ...own.slice(0, first)]);
    },
  };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

import type { DnsAnswer, DnsResolver } from "@ims/runtime";
import type { DnsQueries } from "./locate.ts";

/** The DNS port as RFC 3263 asks it: nothing there and no answer are the same, no records. */
export function dnsQueries(resolver: DnsResolver): DnsQueries {
  return {
    naptr: async (name) => records(await resolver.naptr(name)),
    srv: async (name) => records(await resolver.srv(name)),
    addresses: async (name, family) => records(await resolver.addresses(name, family)),
  };
}

function records<T>(answer: DnsAnswer<T>): readonly T[] {
  return answer.kind === "found" ? answer.records : [];
}

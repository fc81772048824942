import type { DnsAnswer, DnsResolver } from "@ims/runtime";
import type { SipLocatorOptions } from "@ims/sip";

/** The DNS port as the SIP locator asks it: what is not there and what cannot be had now are both an empty list. */
export function dnsQueries(resolver: DnsResolver): SipLocatorOptions["dns"] {
  return {
    naptr: (name) => resolver.naptr(name).then(recordsOf),
    srv: (name) => resolver.srv(name).then(recordsOf),
    addresses: (name, family) => resolver.addresses(name, family).then(recordsOf),
  };
}

function recordsOf<T>(answer: DnsAnswer<T>): readonly T[] {
  return answer.kind === "found" ? answer.records : [];
}

import { lookup, Resolver } from "node:dns/promises";
import type { SipLocatorOptions } from "@ims/sip";

/** The system's DNS for RFC 3263. Empty lists for what is not there or cannot be had now. */
export function systemDns(): SipLocatorOptions["dns"] {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return {
    naptr: (name) =>
      resolver
        .resolveNaptr(name)
        .then((records) => records.map(({ service, ...rest }) => ({ ...rest, services: service })))
        .catch(() => []),
    srv: (name) =>
      resolver
        .resolveSrv(name)
        .then((records) => records.map(({ name: target, ...rest }) => ({ ...rest, target })))
        .catch(() => []),
    addresses: (name, family) =>
      lookup(name, { all: true, family })
        .then((found) => found.map(({ address }) => address))
        .catch(() => []),
  };
}

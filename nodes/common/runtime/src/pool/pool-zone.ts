import { isIP } from "node:net";
import type { NaptrRecord, SrvRecord } from "../dns/resolver.ts";
import { memberNameOf } from "./pool-name.ts";
import type { MemberEntry, PoolEntry, PoolsFile } from "./pools-file.ts";

/** A member of a pool. */
export interface PoolMember {
  /** sprout-2.sprout.example.com */
  readonly name: string;
  /** sprout.example.com */
  readonly pool: string;
  readonly addresses: readonly string[];
  /** It takes nothing new. */
  readonly draining: boolean;
}

/** NAPTR services by protocol and transport (RFC 3263 §4.1); Diameter peers are found by SRV alone. */
const NAPTR_SERVICES: ReadonlyMap<string, string> = new Map([
  ["_sip._udp", "SIP+D2U"],
  ["_sip._tcp", "SIP+D2T"],
  ["_sips._tcp", "SIPS+D2T"],
]);

/** Where the node is that asks. */
export interface PoolPlace {
  /** Its site; undefined or "": there is one. */
  readonly site?: string | undefined;
  /** Names of members that are asked before the others of their pools: those in the same process. */
  readonly near?: readonly string[] | undefined;
}

/** What is added to the priority of a member that is not near, where another of its pool is; and of one at another site than the one who asks. */
const NOT_NEAR = 5;
const AT_OTHER_SITE = 10;

/** The records that a pools file stands for, as a node of that place has them. Names in lower case. */
export class PoolZone {
  readonly members: readonly PoolMember[];
  readonly #site: string;
  readonly #nearby: ReadonlySet<string>;
  readonly #naptr = new Map<string, NaptrRecord[]>();
  readonly #srv = new Map<string, SrvRecord[]>();
  readonly #addresses = new Map<string, readonly string[]>();
  /** Where some are elsewhere: by name, how many before those. */
  readonly #near = new Map<string, number>();
  /** Domain names of the pools. */
  readonly #pools = new Set<string>();
  /** Pools by address. */
  readonly #memberAddresses = new Map<string, string[]>();

  constructor({ domain, pools }: PoolsFile, { site = "", near = [] }: PoolPlace = {}) {
    this.#site = site;
    this.#nearby = new Set(near);
    const members: PoolMember[] = [];
    for (const entry of pools) members.push(...this.#add(entry, `${entry.name}.${domain}`));
    this.members = members;
    for (const { addresses, pool } of members)
      for (const address of addresses)
        this.#memberAddresses.set(address, [...(this.#memberAddresses.get(address) ?? []), pool]);
  }

  /** Is this a pool's name or one below it? Such names are answered here and nowhere else. */
  covers(name: string): boolean {
    for (let at = 0; at >= 0; at = name.indexOf(".", at) + 1 || -1)
      if (this.#pools.has(name.slice(at))) return true;
    return false;
  }

  naptr(name: string): readonly NaptrRecord[] {
    return this.#naptr.get(name) ?? [];
  }

  /** Of a member that has left: those that stay, so that what was addressed to it reaches somebody of its pool. */
  srv(name: string): readonly SrvRecord[] {
    const known = this.#srv.get(name);
    if (known !== undefined) return known;
    const [, prefix = "", host = ""] = /^(_[a-z]+\._[a-z]+\.)(.+)$/.exec(name) ?? [];
    const own = memberNameOf(host) ?? memberNameOf(host.slice(host.indexOf(".") + 1));
    if (own === undefined || !this.#pools.has(own.pool)) return [];
    const service = host.startsWith(`${own.member}.`) ? "" : host.slice(0, host.indexOf(".") + 1);
    const all = this.#srv.get(`${prefix}${service}${own.pool}`) ?? [];
    return all.map((record) => ({ ...record, priority: record.priority + 1 }));
  }

  addresses(name: string): readonly string[] {
    return this.#addresses.get(name) ?? [];
  }

  /** How many of those addresses are of our own site and come first; all of them where there is one site. */
  nearAddresses(name: string): number {
    return this.#near.get(name) ?? this.addresses(name).length;
  }

  isMember(address: string, pool?: string): boolean {
    const pools = this.#memberAddresses.get(address);
    return pools !== undefined && (pool === undefined || pools.includes(pool));
  }

  /** Who says of no site where it is, is everywhere. */
  #isAtOtherSite({ site }: MemberEntry): boolean {
    return site !== undefined && this.#site !== "" && site !== this.#site;
  }

  #add({ services, members }: PoolEntry, pool: string): PoolMember[] {
    this.#pools.add(pool);
    const taking = members.some(({ draining }) => !draining)
      ? members.filter(({ draining }) => !draining)
      : members;
    const hostOf = ({ name }: MemberEntry): string => `${name}.${pool}`;
    const hasNear = taking.some((one) => this.#nearby.has(hostOf(one)));
    const behind = (one: MemberEntry): number => {
      if (this.#isAtOtherSite(one)) return AT_OTHER_SITE;
      return hasNear && !this.#nearby.has(hostOf(one)) ? NOT_NEAR : 0;
    };
    const prefixes = new Set(["", ...services.map(({ name }) => (name === undefined ? "" : `${name}.`))]);
    const near = taking.filter((one) => behind(one) === 0);
    const far = taking.filter((one) => behind(one) > 0).sort((a, b) => behind(a) - behind(b));
    for (const prefix of prefixes) {
      this.#addresses.set(
        `${prefix}${pool}`,
        [...near, ...far].flatMap((one) => one.addresses.map(plain)),
      );
      if (near.length > 0 && far.length > 0)
        this.#near.set(`${prefix}${pool}`, near.flatMap(({ addresses }) => addresses).length);
      for (const one of members) this.#addresses.set(`${prefix}${hostOf(one)}`, one.addresses.map(plain));
    }
    for (const { name, protocol, transport, port } of services) {
      const prefix = name === undefined ? "" : `${name}.`;
      const kinds = [`_${protocol}._${transport}`];
      // TLS shares the port of TCP inside the core; it is asked for by name only, never offered.
      const own = (one: PoolEntry["services"][number]): boolean =>
        one.name === name && one.protocol === "sips";
      if (protocol === "sip" && transport === "tcp" && !services.some(own)) kinds.push("_sips._tcp");
      const record = (one: MemberEntry, priority: number): SrvRecord => ({
        priority,
        weight: one.weight,
        port: one.ports?.[String(port)] ?? port,
        target: hostOf(one),
      });
      const offer = (host: string, records: SrvRecord[]): void => {
        for (const each of kinds) this.#srv.set(`${each}.${host}`, records);
        const [kind = ""] = kinds;
        const naptr = NAPTR_SERVICES.get(kind);
        if (naptr === undefined) return;
        const known = this.#naptr.get(host) ?? [];
        const order = { order: 10, preference: 10 * (known.length + 1), flags: "s", regexp: "" };
        this.#naptr.set(host, [...known, { ...order, services: naptr, replacement: `${kind}.${host}` }]);
      };
      offer(
        `${prefix}${pool}`,
        taking.map((one) => record(one, behind(one))),
      );
      for (const one of members) {
        const others = taking
          .filter((other) => other !== one)
          .map((other) => record(other, behind(other) + 1));
        offer(`${prefix}${hostOf(one)}`, [record(one, 0), ...others]);
      }
    }
    return members.map((one) => ({
      name: hostOf(one),
      pool,
      addresses: one.addresses.map(plain),
      draining: one.draining,
    }));
  }
}

/** In the spelling that sockets give: lower case, and for IPv6 that of RFC 5952. */
function plain(address: string): string {
  return isIP(address) === 6
    ? new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1)
    : address;
}

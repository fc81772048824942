import type { Clock } from "@ims/runtime";
import type { Uri } from "../message/uri.ts";
import type { Via } from "../message/via.ts";
import { addressFamily } from "../transport/flow.ts";
import type { Target, TransportProtocol } from "../transport/transport.ts";
import { LocationCache } from "./location-cache.ts";
import { orderServices, rankServices, type SrvRecord } from "./service-order.ts";
import { TargetHealth } from "./target-health.ts";
import {
  type DnsTransport,
  defaultPort,
  dnsTransports,
  isDnsTransport,
  transportOf,
} from "./transport-choice.ts";

/** NAPTR resource record (RFC 3403), as far as SIP uses it. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly services: string;
  readonly replacement: string;
}

/** What the locator asks of the DNS. Empty lists for names and records that are not there or cannot be had now. */
export interface DnsQueries {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
}

export interface SipLocatorOptions {
  readonly dns: DnsQueries;
  readonly clock: Clock;
  /** What the node can speak, best first. */
  readonly supported: readonly TransportProtocol[];
  /** Address families in the order to try. Default: IPv4, then IPv6. */
  readonly families?: readonly (4 | 6)[];
  /** From 0 up to but not including 1; for SRV weights. */
  readonly random?: () => number;
  /** How long a failed target is put last. */
  readonly penaltyMs?: number;
  /** How long what was found is used without asking; it is used on while the DNS does not answer. Default: 1 s. */
  readonly cacheMs?: number;
}

export interface LocateRequest {
  /** A name or an address without brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly transport?: TransportProtocol | undefined;
  /** sips: TLS all the way. */
  readonly secure: boolean;
}

// A zone file may not make us try for minutes.
const MAX_NAPTR = 4;
const MAX_SRV = 16;
const MAX_TARGETS = 32;
/** Of those, places for the next priority: a large pool at one site must not hide that there is another one. */
const FURTHER_SRV = 4;

/** From a URI or a Via to addresses, ports and transports: RFC 3263, with failed targets last (§4.3). */
export class SipLocator {
  readonly #dns: DnsQueries;
  readonly #supported: readonly TransportProtocol[];
  readonly #families: readonly (4 | 6)[];
  readonly #random: () => number;
  readonly #health: TargetHealth;
  readonly #cache: LocationCache;

  constructor(options: SipLocatorOptions) {
    this.#dns = options.dns;
    this.#supported = options.supported;
    this.#families = options.families ?? [4, 6];
    this.#random = options.random ?? Math.random;
    this.#health = new TargetHealth(options.clock, options.penaltyMs);
    this.#cache = new LocationCache(options.clock, options.cacheMs ?? 1_000);
  }

  /** Targets of a sip or sips URI in the order to try, at once when its host is an address. Empty: no way to reach it. */
  locate(uri: Uri): readonly Target[] | Promise<readonly Target[]> {
    const secure = uri.scheme === "sips";
    if ((!secure && uri.scheme !== "sip") || uri.host === "") return [];
    // RFC 3263 §4: maddr stands for the host.
    const maddr = uri.parameters.get("maddr");
    const host = maddr === undefined || maddr === "" ? uri.host : maddr.replace(/^\[|\]$/g, "").toLowerCase();
    const parameter = uri.parameters.get("transport");
    if (parameter === undefined) return this.locateHost({ host, port: uri.port, secure });
    const transport = transportOf(parameter, secure);
    return transport === undefined ? [] : this.locateHost({ host, port: uri.port, transport, secure });
  }

  /** Where a response goes when neither its connection nor the address it came from is there: RFC 3263 §5, by sent-by. */
  locateVia(via: Via): readonly Target[] | Promise<readonly Target[]> {
    const transport = transportOf(via.transport, false);
    if (transport === undefined) return [];
    const maddr = transport === "UDP" ? via.parameters.get("maddr") : undefined;
    const host = (maddr ?? via.host).replace(/^\[|\]$/g, "");
    return this.locateHost({ host, port: via.port, transport, secure: false });
  }

  locateHost(request: LocateRequest): readonly Target[] | Promise<readonly Target[]> {
    const { host, port, secure } = request;
    if (port !== undefined && !isPort(port)) return [];
    if (isNumeric(host)) {
      const protocol = request.transport ?? this.#defaultTransport(secure);
      if (protocol === undefined || !this.#supported.includes(protocol)) return [];
      return [{ protocol, address: host, port: port ?? defaultPort(protocol) }];
    }
    const { transport } = request;
    const found = this.#cache.find(`${host}|${port ?? ""}|${transport ?? ""}|${secure}`, () =>
      this.#locateName(request),
    );
    return found instanceof Promise
      ? found.then((targets) => this.#health.order(targets))
      : this.#health.order(found);
  }

  /** A target did not answer or could not be reached: it is put last for a while. */
  failed(target: Target): void {
    this.#health.failed(target);
  }

  /** Pools have other members now: what names led to is asked again before it is used. */
  targetsChanged(): void {
    this.#cache.clear();
  }

  async #locateName({ host, port, transport, secure }: LocateRequest): Promise<readonly Target[]> {
    if (transport !== undefined && !this.#supported.includes(transport)) return [];
    if (port !== undefined) {
      const protocol = transport ?? this.#defaultTransport(secure);
      return protocol === undefined ? [] : atMost(await this.#atAddresses(host, protocol, port, host));
    }
    const wanted = transport === undefined ? this.#candidates(secure) : [transport];
    if (transport === undefined) {
      const byNaptr = await this.#byNaptr(host, wanted.filter(isDnsTransport));
      if (byNaptr.length > 0) return atMost(byNaptr);
    }
    for (const protocol of wanted.filter(isDnsTransport)) {
      const services = await this.#dns.srv(`${dnsTransports[protocol].srv}${host}`);
      if (services.length > 0) return atMost(await this.#atServices(services, protocol, host));
    }
    const protocol = transport ?? this.#defaultTransport(secure);
    return protocol === undefined
      ? []
      : atMost(await this.#atAddresses(host, protocol, defaultPort(protocol), host));
  }

  /** RFC 3263 §4.1: the services the domain offers, by order and preference, as far as we speak them. */
  async #byNaptr(host: string, wanted: readonly DnsTransport[]): Promise<Target[]> {
    const records = [...(await this.#dns.naptr(host))].sort(
      (a, b) => a.order - b.order || a.preference - b.preference,
    );
    const usable = records.flatMap(({ flags, services, replacement }) => {
      const protocol = wanted.find((one) => dnsTransports[one].naptr === services.toUpperCase());
      return protocol === undefined || flags.toLowerCase() !== "s" || replacement === ""
        ? []
        : [{ protocol, replacement }];
    });
    const targets: Target[] = [];
    for (const { protocol, replacement } of usable.slice(0, MAX_NAPTR)) {
      const rank = 1 + (targets.at(-1)?.priority ?? -1);
      const services = await this.#dns.srv(replacement);
      targets.push(...(await this.#atServices(services, protocol, host, rank)));
      if (targets.length >= MAX_TARGETS) break;
    }
    return targets;
  }

  async #atServices(
    records: readonly SrvRecord[],
    protocol: DnsTransport,
    host: string,
    firstRank = 0,
  ): Promise<Target[]> {
    const offered = records.filter(({ target, port }) => target !== "." && target !== "" && isPort(port));
    const services = followed(orderServices(offered.slice(0, MAX_SRV * 4), this.#random));
    const ranks = rankServices(services);
    const found = await Promise.all(
      services.map(({ target, port }, index) =>
        this.#atAddresses(target, protocol, port, host, firstRank + 2 * (ranks[index] ?? 0)),
      ),
    );
    return found.flat();
  }

  /** `domain` is what a certificate must name: RFC 5922 §7.1, the domain asked for, not what the DNS made of it. */
  async #atAddresses(
    name: string,
    protocol: TransportProtocol,
    port: number,
    domain: string,
    rank = 0,
  ): Promise<Target[]> {
    const found = await Promise.all(this.#families.map((family) => this.#dns.addresses(name, family)));
    const named = protocol === "TLS" ? { serverName: domain.replace(/\.$/, "") } : {};
    const first = found.findIndex((addresses) => addresses.length > 0);
    return found.flatMap((addresses, family) => {
      // The other family is no equal of the preferred one.
      const priority = family > first ? rank + 1 : rank;
      const ranked = priority === 0 ? {} : { priority };
      return addresses.map((address) => ({ protocol, address, port, ...named, ...ranked }));
    });
  }

  /** RFC 3263 §4.1: UDP for sip, TLS for sips, when neither parameter nor DNS says otherwise. */
  #defaultTransport(secure: boolean): TransportProtocol | undefined {
    if (secure) return this.#supported.includes("TLS") ? "TLS" : undefined;
    return this.#supported.includes("UDP") ? "UDP" : this.#candidates(false)[0];
  }

  /** A sip URI may be served by SIPS services too; a sips URI by nothing else. */
  #candidates(secure: boolean): readonly TransportProtocol[] {
    return this.#supported.filter((one) => isDnsTransport(one) && (!secure || one === "TLS"));
  }
}

function atMost(targets: readonly Target[]): readonly Target[] {
  return targets.length > MAX_TARGETS ? targets.slice(0, MAX_TARGETS) : targets;
}

/** Cheap first: names begin with a digit rarely. */
function isNumeric(host: string): boolean {
  const first = host.charCodeAt(0);
  return ((first >= 48 && first <= 57) || host.includes(":")) && addressFamily(host) !== 0;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

/** How many of these ordered records are followed. */
function followed(ordered: readonly SrvRecord[]): readonly SrvRecord[] {
  if (ordered.length <= MAX_SRV) return ordered;
  const further = ordered.findIndex(({ priority }) => priority !== ordered[0]?.priority);
  const nearest = MAX_SRV - FURTHER_SRV;
  return further <= nearest
    ? ordered.slice(0, MAX_SRV)
    : [...ordered.slice(0, nearest), ...ordered.slice(further, further + FURTHER_SRV)];
}

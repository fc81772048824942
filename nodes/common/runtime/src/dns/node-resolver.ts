import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Answer, DecodedPacket } from "dns-packet";
import type { Clock } from "../clock.ts";
import { type DnsServer, type QueryType, query } from "./query.ts";
import type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from "./resolver.ts";

export interface NodeResolverOptions {
  /** Default: those of /etc/resolv.conf. */
  readonly servers?: readonly DnsServer[];
  /** Per server and try. */
  readonly timeoutMs?: number;
  /** Default: /etc/hosts. */
  readonly hostsFile?: string;
}

const MAX_ENTRIES = 10_000;
/** Bound for how long a no is believed, whatever the zone says (RFC 2308 §5). */
const NEGATIVE_TTL = 30;
const MAX_TTL = 3600;
// RFC 8767 §5: how long old answers are used while no server answers, how long they are held back for one that may, and
// when servers that did not answer are asked again.
const MAX_STALE_MS = 24 * 3600 * 1000;
const STALE_AFTER_MS = 200;
const RECHECK_MS = 5_000;
/** RFC 1035 §4.1.1. */
const NOERROR = 0;
const NXDOMAIN = 3;

interface Entry {
  /** When it must be asked again, monotonic ms. */
  until: number;
  answer: Promise<DnsAnswer<unknown>>;
  /** What was last known, for the time when nobody answers. */
  last: { readonly answer: DnsAnswer<unknown>; readonly until: number } | undefined;
}

/**
 * The DNS over its own protocol, so that every record type comes with its TTL; /etc/hosts goes before it. Answers are cached,
 * and records that ran out are used while no server answers (RFC 8767).
 */
export function nodeResolver(clock: Clock, options: NodeResolverOptions = {}): DnsResolver {
  const servers = options.servers ?? systemServers();
  const timeoutMs = options.timeoutMs ?? 1000;
  const hosts = readHosts(options.hostsFile ?? "/etc/hosts");
  const cache = new Map<string, Entry>();

  async function ask<T>(
    name: string,
    type: QueryType,
    read: (answer: Answer) => T | undefined,
  ): Promise<DnsAnswer<T>> {
    let reason = "no DNS server is configured";
    for (const server of [...servers, ...servers]) {
      try {
        const answer = await query(server, name, type, timeoutMs);
        const rcode = (answer.flags ?? 0) & 0xf;
        if (rcode === NOERROR || rcode === NXDOMAIN) return found(answer, type, read);
        reason = `${server.address} answered RCODE ${rcode}`;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    return { kind: "failed", reason };
  }

  function cached<T>(
    name: string,
    type: QueryType,
    read: (answer: Answer) => T | undefined,
  ): Promise<DnsAnswer<T>> {
    if (!canExist(name)) return Promise.resolve({ kind: "notFound", ttlSeconds: MAX_TTL });
    const key = `${type} ${name}`;
    const known = cache.get(key);
    if (known !== undefined && known.until > clock.monotonic()) return known.answer as Promise<DnsAnswer<T>>;
    if (cache.size >= MAX_ENTRIES)
      for (const oldest of [...cache.keys()].slice(0, MAX_ENTRIES / 10)) cache.delete(oldest);
    const { monotonic } = clock;
    const last = known?.last !== undefined && known.last.until > monotonic() ? known.last : undefined;
    const asked = ask(name, type, read);
    // Whoever asks meanwhile shares the question; afterwards the TTL decides.
    const entry: Entry = { until: Number.POSITIVE_INFINITY, answer: asked, last };
    if (last !== undefined) entry.answer = soonOr(asked, last.answer);
    cache.delete(key);
    cache.set(key, entry);
    void asked.then((result) => {
      if (result.kind === "failed") {
        entry.until = monotonic() + (last === undefined ? 1000 : RECHECK_MS);
        return;
      }
      entry.answer = asked;
      entry.until = monotonic() + result.ttlSeconds * 1000;
      entry.last = { answer: result, until: entry.until + MAX_STALE_MS };
    });
    return entry.answer as Promise<DnsAnswer<T>>;
  }

  /** What was asked, if it comes soon and is an answer; else the old records, to be believed no longer than a moment. */
  function soonOr(asked: Promise<DnsAnswer<unknown>>, old: DnsAnswer<unknown>): Promise<DnsAnswer<unknown>> {
    const stale = old.kind === "failed" ? old : { ...old, ttlSeconds: 1 };
    return new Promise((resolve) => {
      const timer = clock.setTimer(STALE_AFTER_MS, () => resolve(stale));
      void asked.then((result) => {
        timer.cancel();
        resolve(result.kind === "failed" ? stale : result);
      });
    });
  }

  return {
    async naptr(anyName) {
      const name = canonical(anyName);
      if (isLocalhost(name)) return { kind: "notFound", ttlSeconds: MAX_TTL };
      return cached(name, "NAPTR", readNaptr);
    },
    async srv(anyName) {
      const name = canonical(anyName);
      if (isLocalhost(name)) return { kind: "notFound", ttlSeconds: MAX_TTL };
      return cached(name, "SRV", readSrv);
    },
    async addresses(anyName, family) {
      const name = canonical(anyName);
      const own = hosts.get(name)?.filter((address) => isIP(address) === family) ?? [];
      if (own.length > 0) return { kind: "found", records: own, ttlSeconds: MAX_TTL };
      if (isLocalhost(name)) {
        return { kind: "found", records: [family === 4 ? "127.0.0.1" : "::1"], ttlSeconds: MAX_TTL };
      }
      const type = family === 4 ? "A" : "AAAA";
      return cached(name, type, (one) => (one.type === type ? one.data : undefined));
    },
  };
}

function readNaptr(one: Answer): NaptrRecord | undefined {
  return one.type === "NAPTR" ? one.data : undefined;
}

function readSrv(one: Answer): SrvRecord | undefined {
  if (one.type !== "SRV") return undefined;
  const { priority = 0, weight = 0, port, target } = one.data;
  return { priority, weight, port, target };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** RFC 1035 §2.3.4: labels of 1 to 63 bytes, 255 altogether with their length bytes and the root. */
function canExist(name: string): boolean {
  const fits = (label: string): boolean => label !== "" && Buffer.byteLength(label) <= 63;
  return Buffer.byteLength(name) <= 253 && name.split(".").every(fits);
}

/** RFC 6761 §6.3: these never leave the machine. Service labels before it belong to SRV names. */
function isLocalhost(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

function found<T>(
  answer: DecodedPacket,
  type: QueryType,
  read: (answer: Answer) => T | undefined,
): DnsAnswer<T> {
  const records: T[] = [];
  let ttlSeconds = MAX_TTL;
  for (const one of answer.answers ?? []) {
    const record = one.type === type ? read(one) : undefined;
    if ("ttl" in one && typeof one.ttl === "number") ttlSeconds = Math.min(ttlSeconds, one.ttl);
    if (record !== undefined) records.push(record);
  }
  return records.length > 0
    ? { kind: "found", records, ttlSeconds }
    : { kind: "notFound", ttlSeconds: negativeTtl(answer) };
}

/** RFC 2308 §5: the smaller of the SOA's own TTL and its MINIMUM. */
function negativeTtl(answer: DecodedPacket): number {
  let ttlSeconds = NEGATIVE_TTL;
  for (const one of answer.authorities ?? []) {
    if (one.type === "SOA") ttlSeconds = Math.min(ttlSeconds, one.ttl ?? 0, one.data.minimum ?? 0);
  }
  return ttlSeconds;
}

function systemServers(): DnsServer[] {
  return lines("/etc/resolv.conf").flatMap((line) => {
    const [word, address = ""] = line.split(/\s+/);
    return word === "nameserver" && isIP(address) !== 0 ? [{ address, port: 53 }] : [];
  });
}

function readHosts(file: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of lines(file)) {
    const [address = "", ...names] = line.split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names)
      hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), address]);
  }
  return hosts;
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.replace(/#.*/, "").trim())
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

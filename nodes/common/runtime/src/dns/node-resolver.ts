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
  readonly hostsFile?: string;
}

const MAX_ENTRIES = 10_000;
/** RFC 2308 §5: bound for how long a no is believed. */
const NEGATIVE_TTL = 30;
const MAX_TTL = 3600;
/** RFC 1035 §4.1.1. */
const NOERROR = 0;
const NXDOMAIN = 3;

/** The DNS over its own protocol, so that every record type comes with its TTL; /etc/hosts goes before it. Answers are cached. */
export function nodeResolver(clock: Clock, options: NodeResolverOptions = {}): DnsResolver {
  const servers = options.servers ?? systemServers();
  const timeoutMs = options.timeoutMs ?? 1000;
  const hosts = readHosts(options.hostsFile ?? "/etc/hosts");
  const cache = new Map<string, { until: number; answer: Promise<DnsAnswer<unknown>> }>();

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
    const key = `${type} ${name.toLowerCase()}`;
    const known = cache.get(key);
    if (known !== undefined && known.until > clock.monotonic()) return known.answer as Promise<DnsAnswer<T>>;
    if (cache.size >= MAX_ENTRIES)
      for (const oldest of [...cache.keys()].slice(0, MAX_ENTRIES / 10)) cache.delete(oldest);
    const answer = ask(name, type, read);
    // Whoever asks meanwhile shares the question; afterwards the TTL decides.
    const entry = { until: Number.POSITIVE_INFINITY, answer };
    cache.delete(key);
    cache.set(key, entry);
    void answer.then((result) => {
      entry.until = clock.monotonic() + (result.kind === "failed" ? 1 : result.ttlSeconds) * 1000;
    });
    return answer;
  }

  return {
    naptr: (name) =>
      cached<NaptrRecord>(name, "NAPTR", (one) => (one.type === "NAPTR" ? one.data : undefined)),
    srv: (name) =>
      cached<SrvRecord>(name, "SRV", (one) =>
        one.type === "SRV"
          ? {
              priority: one.data.priority ?? 0,
              weight: one.data.weight ?? 0,
              port: one.data.port,
              target: one.data.target,
            }
          : undefined,
      ),
    addresses: (name, family) => {
      const own = hosts.get(name.toLowerCase())?.filter((address) => isIP(address) === family) ?? [];
      if (own.length > 0) return Promise.resolve({ kind: "found", records: own, ttlSeconds: MAX_TTL });
      const type = family === 4 ? "A" : "AAAA";
      return cached<string>(name, type, (one) => (one.type === type ? one.data : undefined));
    },
  };
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
    : { kind: "notFound", ttlSeconds: NEGATIVE_TTL };
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

import type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from "../src/dns/resolver.ts";

/** The records of one name; "failed": no server answers for it. */
export type ZoneEntry =
  | {
      readonly naptr?: readonly NaptrRecord[];
      readonly srv?: readonly SrvRecord[];
      readonly a?: readonly string[];
      readonly aaaa?: readonly string[];
    }
  | "failed";

export type Zone = Readonly<Record<string, ZoneEntry>>;

export interface FakeResolver extends DnsResolver {
  /** Questions so far: "SRV _sip._tcp.example.com". */
  readonly asked: readonly string[];
  /** Adds a name or replaces its records. */
  set(name: string, entry: ZoneEntry): void;
}

const TTL_SECONDS = 300;

/** A resolver over a zone given as data. A name that is not in it is not found. */
export function fakeResolver(zone: Zone = {}): FakeResolver {
  const entries = new Map(Object.entries(zone).map(([name, entry]) => [canonical(name), entry]));
  const asked: string[] = [];

  async function answer<T>(
    type: string,
    name: string,
    read: (entry: Exclude<ZoneEntry, "failed">) => readonly T[] | undefined,
  ): Promise<DnsAnswer<T>> {
    asked.push(`${type} ${name}`);
    const entry = entries.get(canonical(name));
    if (entry === "failed") return { kind: "failed", reason: `no server answers for ${name}` };
    const records = (entry && read(entry)) ?? [];
    if (records.length === 0) return { kind: "notFound", ttlSeconds: TTL_SECONDS };
    return { kind: "found", records, ttlSeconds: TTL_SECONDS };
  }

  return {
    asked,
    naptr: (name) => answer("NAPTR", name, ({ naptr }) => naptr),
    srv: (name) => answer("SRV", name, ({ srv }) => srv),
    addresses: (name, family) =>
      answer(family === 4 ? "A" : "AAAA", name, ({ a, aaaa }) => (family === 4 ? a : aaaa)),
    set: (name, entry) => void entries.set(canonical(name), entry),
  };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

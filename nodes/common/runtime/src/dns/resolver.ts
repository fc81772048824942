/** A NAPTR record (RFC 3403 §4.1). */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly services: string;
  readonly regexp: string;
  readonly replacement: string;
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** What the DNS said: records, a sure no, or no answer. `ttlSeconds` is how long it may be believed. */
export type DnsAnswer<T> =
  | { readonly kind: "found"; readonly records: readonly T[]; readonly ttlSeconds: number }
  | { readonly kind: "notFound"; readonly ttlSeconds: number }
  | { readonly kind: "failed"; readonly reason: string };

/** Port of the DNS. Never rejects. */
export interface DnsResolver {
  naptr(name: string): Promise<DnsAnswer<NaptrRecord>>;
  srv(name: string): Promise<DnsAnswer<SrvRecord>>;
  addresses(name: string, family: 4 | 6): Promise<DnsAnswer<string>>;
}

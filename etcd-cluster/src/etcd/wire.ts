/** JSON as the gateway of etcd v3 writes it: bytes in base64, 64-bit numbers as strings, zeroes left out. */
export type Json = Readonly<Record<string, unknown>>;

/** A key and its value, read as UTF-8. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Revision of the cluster at which this value was written. */
  readonly revision: number;
  readonly createRevision: number;
  /** 0: not bound to a lease. */
  readonly lease: string;
}

export function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function text(value: unknown): string {
  return typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : "";
}

/** Revisions stay below 2^53: at a million changes a second for 285 years. */
export function int(value: unknown): number {
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : 0;
  return Number.isSafeInteger(number) ? number : 0;
}

/** Lease and member numbers use all 64 bits. */
export function id(value: unknown): string {
  return typeof value === "string" && /^[0-9]{1,20}$/.test(value) ? value : "0";
}

export function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function entryOf(value: unknown): Entry {
  const kv = object(value);
  return {
    key: text(kv["key"]),
    value: text(kv["value"]),
    revision: int(kv["mod_revision"]),
    createRevision: int(kv["create_revision"]),
    lease: id(kv["lease"]),
  };
}

export function revisionOf(answer: Json): number {
  return int(object(answer["header"])["revision"]);
}

/** Keys of one name, or all that begin with a prefix. */
export type KeyRange = { readonly key: string } | { readonly prefix: string };

export function rangeJson(range: KeyRange): Json {
  if ("key" in range) return { key: base64(range.key) };
  return { key: base64(range.prefix), range_end: prefixEnd(range.prefix) };
}

/** The first key that no longer begins with the prefix; a zero byte stands for "to the end". */
function prefixEnd(prefix: string): string {
  const bytes = Buffer.from(prefix, "utf8");
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0xff;
    if (byte === 0xff) continue;
    const end = Buffer.from(bytes.subarray(0, at + 1));
    end[at] = byte + 1;
    return end.toString("base64");
  }
  return Buffer.from([0]).toString("base64");
}

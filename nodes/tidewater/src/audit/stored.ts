import { DatabaseSync } from "node:sqlite";
import type { CassandraSession, KvStore } from "@ims/store";

/** A binding as a store has it. */
export interface StoredBinding {
  readonly contact: string;
  readonly callId: string;
  readonly cseq: number;
  /** ms since the epoch */
  readonly expiresAt: number;
}

/** What one store says of an identity. */
export type StoredSet =
  | { readonly kind: "bindings"; readonly bindings: readonly StoredBinding[] }
  /** It says that nobody is registered. */
  | { readonly kind: "none" }
  /** It says nothing. */
  | { readonly kind: "nothing" }
  /** The identity belongs to the set of another one. */
  | { readonly kind: "alias"; readonly of: string }
  | { readonly kind: "unreadable" }
  | { readonly kind: "unavailable"; readonly cause: string };

/** One of the stores that are compared. */
export interface BindingSource {
  readonly name: "memcached" | "Cassandra" | "file";
  /** Where registrations are only as long as they are needed: what is missing here is fetched from the other one. */
  readonly working: boolean;
  read(impu: string): Promise<StoredSet>;
}

/** State of a set that has ended and whose subscribers have still to be told. */
const TERMINATED = 2;

/** The working copy: a line of JSON, then the profile. */
export function workingSource(store: KvStore): BindingSource {
  return {
    name: "memcached",
    working: true,
    async read(impu) {
      const got = await store.get("registration", impu);
      if (got.kind === "unavailable") return { kind: "unavailable", cause: got.cause.message };
      if (got.kind === "notFound") return { kind: "nothing" };
      const text = Buffer.from(got.value).toString();
      const head = json(text.split("\n", 1)[0] ?? "");
      if (!isObject(head) || head["v"] !== 1) return { kind: "unreadable" };
      if (typeof head["of"] === "string") return { kind: "alias", of: head["of"] };
      if (head["x"] === 1 || head["s"] === TERMINATED) return { kind: "none" };
      return bindingsIn(Array.isArray(head["b"]) ? head["b"] : [undefined]);
    },
  };
}

const ROWS = {
  cql: "SELECT item, value FROM keyspace.registration WHERE name = ?",
  idempotent: true,
} as const;

/** The rows in Cassandra. */
export function cassandraSource(session: CassandraSession): BindingSource {
  return {
    name: "Cassandra",
    working: false,
    async read(impu) {
      const result = await session.execute(ROWS, [impu]);
      if (result.kind === "unavailable") return { kind: "unavailable", cause: result.cause.message };
      return setOf(result.rows.map((row) => [String(row["item"]), row["value"] as Uint8Array] as const));
    },
  };
}

/** The rows in the file of one sprout, read beside it. @throws Error when there is no such file. */
export function fileSource(path: string, now: () => number): BindingSource & { close(): void } {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  const select = database.prepare(
    "SELECT item, value FROM registration WHERE partition = ? AND until > ? AND value IS NOT NULL",
  );
  return {
    name: "file",
    working: false,
    read: (impu) =>
      Promise.resolve(
        setOf(
          select.all(impu, now()).map((row) => [String(row["item"]), row["value"] as Uint8Array] as const),
        ),
      ),
    close: () => database.close(),
  };
}

/** "head", "alias", or "b", the private identity and the key of a binding. */
function setOf(rows: readonly (readonly [item: string, value: Uint8Array])[]): StoredSet {
  if (rows.length === 0) return { kind: "nothing" };
  const items = new Map(rows.map(([item, value]) => [item, Buffer.from(value).toString()]));
  const head = items.get("head");
  if (head === undefined) {
    const alias = json(items.get("alias") ?? "");
    if (isObject(alias) && typeof alias["of"] === "string") return { kind: "alias", of: alias["of"] };
    return items.has("alias") ? { kind: "unreadable" } : { kind: "none" };
  }
  const read = json(head.split("\n", 1)[0] ?? "");
  if (!isObject(read) || read["v"] !== 1) return { kind: "unreadable" };
  if (read["x"] === 1 || read["s"] === TERMINATED) return { kind: "none" };
  const bindings: unknown[] = [];
  for (const [item, value] of items) {
    if (!item.startsWith("b\n")) continue;
    const row = json(value);
    bindings.push(Array.isArray(row) && row[0] === 1 ? row.slice(1) : undefined);
  }
  return bindingsIn(bindings);
}

/** Contact, key, IMPI, Call-ID, CSeq, expiry and what does not matter here. */
function bindingsIn(rows: readonly unknown[]): StoredSet {
  const bindings: StoredBinding[] = [];
  for (const row of rows) {
    if (!Array.isArray(row)) return { kind: "unreadable" };
    const [contact, , , callId, cseq, expiresAt] = row as unknown[];
    if (
      typeof contact !== "string" ||
      typeof callId !== "string" ||
      typeof cseq !== "number" ||
      typeof expiresAt !== "number"
    )
      return { kind: "unreadable" };
    bindings.push({ contact, callId, cseq, expiresAt });
  }
  return { kind: "bindings", bindings };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

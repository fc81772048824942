import { z } from "zod";

/*
 * A backup, from its first byte:
 *   TIDEWATER-BACKUP 1 LF
 *   the header, a line of JSON: what anybody may know before the rest
 *   frames: length (32 bits), ciphertext, tag; a length of 0 ends them
 *   the manifest, JSON: what is in it, for who has no key
 *   SHA-256 of all before, length of the manifest (32 bits), TWBACKUP
 * A frame is a chunk, deflated, under AES-256-GCM. Its nonce counts frames and marks the last one, its AAD is the digest of all before
 * the frames: none can be changed, left out or moved, and the last one repeats the manifest.
 */

export const VERSION = 1;
export const MAGIC = /^TIDEWATER-BACKUP ([0-9]{1,6})\n/;
export const END_MAGIC = "TWBACKUP";
export const DIGEST_BYTES = 32;
export const TAG_BYTES = 16;
/** Digest, length of the manifest, magic. */
export const TRAILER_BYTES = DIGEST_BYTES + 4 + END_MAGIC.length;
export const MAX_HEADER = 8_192;
export const MAX_MANIFEST = 1_048_576;
/** What a frame may take on disk and unpacked: a chunk is smaller unless one row is larger. */
export const MAX_FRAME = 64 * 1024 * 1024;
/** Chunks are cut at this size. */
export const CHUNK_BYTES = 256 * 1024;

const base64 = z.base64();

/** How the key is made of what the operator has. */
const derivation = z.discriminatedUnion("by", [
  z.object({
    by: z.literal("passphrase"),
    salt: base64,
    // Bounded: whoever made the file says how long we compute.
    cost: z.int().min(2).max(1_048_576),
    blockSize: z.int().min(1).max(32),
    parallelization: z.int().min(1).max(8),
  }),
  z.object({ by: z.literal("keyFile"), salt: base64 }),
]);
export type Derivation = z.output<typeof derivation>;

export const headerSchema = z.object({
  taken: z.iso.datetime(),
  program: z.string().max(64),
  key: derivation,
  /** Tells another key from damage. */
  keyCheck: base64,
});
export type Header = z.output<typeof headerSchema>;

const count = z.int().min(0);

export const manifestSchema = z.object({
  taken: z.iso.datetime(),
  finished: z.iso.datetime(),
  program: z.string().max(64),
  cassandra: z
    .object({
      keyspace: z.string(),
      schemas: z.array(z.object({ component: z.string(), version: count })),
      tables: z.array(z.object({ name: z.string(), rows: count })),
      /** Rows that were written while the backup was taken, and are in it as they were last. */
      changedMeanwhile: count,
    })
    .optional(),
  files: z.array(
    z.object({
      name: z.string(),
      bytes: count,
      /** Of a database. */
      tables: z.array(z.object({ name: z.string(), rows: count })).optional(),
    }),
  ),
});
export type Manifest = z.output<typeof manifestSchema>;

/** Names in Cassandra: they go into statements. */
const name = z.string().regex(/^[a-z][a-z0-9_]{0,47}$/);
const cqlType = z.string().regex(/^[a-z]+(?:<[a-z<>, ]+>)?$/);
const text = z.string().max(1_000);

export const tableSchema = z.object({
  name,
  id: z.guid(),
  columns: z
    .array(
      z.object({
        name,
        type: cqlType,
        kind: z.enum(["partition_key", "clustering", "regular"]),
        position: z.int(),
        descending: z.boolean(),
      }),
    )
    .min(1)
    .max(200),
  comment: text,
  gcGraceSeconds: count,
  defaultTimeToLive: count,
  speculativeRetry: text,
  compaction: z.record(z.string().regex(/^[a-z_]{1,64}$/), text),
  indexes: z.array(z.object({ name, target: name })),
});
export type TableDefinition = z.output<typeof tableSchema>;

const schemaVersion = z.object({
  component: text,
  version: z.int().min(1),
  name: text,
  checksum: text,
});
export type SchemaVersion = z.output<typeof schemaVersion>;

/** A file name in a state directory, never a path. */
const fileName = z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/);

/** The first line of a chunk; its payload comes after. */
export const chunkHeadSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("schemas"), versions: z.array(schemaVersion) }),
  z.object({ kind: z.literal("table"), table: tableSchema }),
  /** Lines of JSON; `again`: they were read a second time, and say also what is absent. */
  z.object({ kind: z.literal("rows"), table: name, rows: count, again: z.boolean() }),
  z.object({ kind: z.literal("file"), name: fileName }),
  /** Of the file that was begun last. */
  z.object({ kind: z.literal("bytes") }),
  z.object({ kind: z.literal("fileEnd"), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** The last chunk: its payload is the manifest. */
  z.object({ kind: z.literal("manifest") }),
]);
export type ChunkHead = z.output<typeof chunkHeadSchema>;

export interface Chunk {
  readonly head: ChunkHead;
  readonly payload: Buffer;
}

/** Nonce of a frame: its number, and whether it is the last one. */
export function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

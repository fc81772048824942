import { createDecipheriv } from "node:crypto";
import { fileFault } from "../errors.ts";
import type { Ask } from "./ask.ts";

/** As homestead seals: nonce, ciphertext, tag; what it belongs to is authenticated with it. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OWNER = "pool";

/** @throws BackupError BACKUP_FILE when the subscribers in Cassandra are sealed with another key: the backup would be worth nothing. */
export async function opensPool(ask: Ask, key: Buffer, file: string): Promise<void> {
  const [table] = await ask.rows(
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'subscriber_key'",
    [ask.session.keyspace],
  );
  if (table === undefined) return;
  const [row] = await ask.rows("SELECT proof FROM keyspace.subscriber_key WHERE id = 'pool'");
  const proof = row?.["proof"];
  if (!(proof instanceof Uint8Array)) return;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, proof.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(OWNER))
      .setAuthTag(proof.subarray(-TAG_BYTES));
    decipher.update(proof.subarray(NONCE_BYTES, -TAG_BYTES));
    decipher.final();
  } catch (cause) {
    throw fileFault(file, "is not the key that the subscribers in Cassandra are sealed with", cause);
  }
}

import { HomesteadError } from "../../errors.ts";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";
import type { Sealing } from "../sealing.ts";
import type { Cql } from "./cql.ts";
import { insertProof, selectProof } from "./statements.ts";

const PROOF = "subscribers of this pool";

/**
 * Whether this homestead has the key that the secrets of the pool are sealed with; the first one ever leaves the proof.
 * Throws POOL_KEY when it has another one: what it would write, the others could not read.
 */
export async function provePoolKey(
  cql: Cql,
  sealing: Sealing,
  keyFile: string,
): Promise<"proven" | Unavailable> {
  let rows = await cql.read(selectProof, []);
  if (rows !== UNAVAILABLE && rows[0] === undefined) {
    const left = await cql.change(insertProof, [sealing.seal(PROOF, "pool")], () => false);
    if (left.kind === "applied") return "proven";
    rows = left.kind === "unavailable" ? UNAVAILABLE : await cql.read(selectProof, []);
  }
  if (rows === UNAVAILABLE) return UNAVAILABLE;
  const proof = rows[0]?.["proof"];
  try {
    if (proof instanceof Uint8Array && sealing.open(proof, "pool") === PROOF) return "proven";
  } catch (cause) {
    throw new HomesteadError({ code: "POOL_KEY", file: keyFile }, { cause, message: otherKey(keyFile) });
  }
  throw new HomesteadError({ code: "POOL_KEY", file: keyFile }, { message: otherKey(keyFile) });
}

function otherKey(file: string): string {
  return `the subscribers in Cassandra are sealed with another key than that of ${file}: give --subscriber-key-file the key file of the pool`;
}

import { UNAVAILABLE, type Unavailable } from "../hss.ts";
import type { ListQuery } from "../subscriber-repository.ts";
import { type Cql, text } from "./cql.ts";
import { selectIdentities, selectWildcards } from "./statements.ts";

const FIRST_TOKEN = -(2n ** 63n);
const TOKENS = 2n ** 64n;

/**
 * Public identities that are claimed, one part of the ring. A claim that a crash has left, which nobody has, is among them until somebody
 * takes it.
 */
export async function publicIdentityList(
  { chunk, of, limit }: ListQuery,
  cql: Cql,
): Promise<readonly string[] | Unavailable> {
  const begin = (part: number): bigint => FIRST_TOKEN + (BigInt(part) * TOKENS) / BigInt(of);
  // A 64-bit number is bound as text.
  const range = [begin(chunk).toString(), (begin(chunk + 1) - 1n).toString()];
  const rows = await cql.read(selectIdentities, [...range, limit]);
  const wildcards = chunk === 0 ? await cql.readAll(selectWildcards) : [];
  if (rows === UNAVAILABLE || wildcards === UNAVAILABLE) return UNAVAILABLE;
  return [...rows, ...wildcards].flatMap((row) => {
    const canonical = text(row, "canonical") ?? "";
    // Names of other things: record-names.ts.
    return /^(?:sip|tel):/.test(canonical) ? [canonical] : [];
  });
}

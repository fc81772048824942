import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import type { EtcdClient } from "../etcd/client.ts";
import type { Unavailable } from "../etcd/errors.ts";

/** At least 128 bits, in characters that a Heat parameter may have. */
export const JOIN_TOKEN = /^[A-Za-z0-9._~-]{22,200}$/;

export function newJoinToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Names a token without telling it. */
export function tokenId(token: string): string {
  return createHash("sha256").update(`tidewater join token ${token}`).digest("hex");
}

/** Shows that we know the token, for these words only. */
export function proofOf(token: string, words: readonly string[]): string {
  return createHmac("sha256", token).update(JSON.stringify(words)).digest("hex");
}

export function proves(proof: string, token: string, words: readonly string[]): boolean {
  const expected = Buffer.from(proofOf(token, words));
  const given = Buffer.from(proof);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const recordSchema = z.object({
  version: z.literal(1),
  /** Erased when it is used up. */
  token: z.string().optional(),
  /** Machines that may still be let in by it. */
  left: z.int().min(0),
  /** ms since the epoch. */
  expires: z.number(),
  /** name and key of those that were: whoever did not get the answer may ask again. */
  admitted: z.array(z.string()).max(1000),
});
type TokenRecord = z.output<typeof recordSchema>;

export interface TokenUses {
  /** Machines, each once. */
  readonly uses: number;
  /** ms since the epoch. */
  readonly expires: number;
}

/** Which tokens are good, and how often. */
export interface TokenLedger {
  /** Undefined: unknown, used up or expired. */
  find(id: string, now: number): Promise<string | undefined | Unavailable>;
  /** Uses it up for one machine; false when that is not possible any more. Again for the same one: no further use. */
  take(id: string, machine: string, now: number): Promise<boolean | Unavailable>;
}

export function tokenKey(root: string, id: string): string {
  return `${root}/join-tokens/${id}`;
}

/** Makes a token good. One that was known before, used up or not, stays as it is: "known". */
export async function admitToken(
  client: EtcdClient,
  root: string,
  token: string,
  { uses, expires }: TokenUses,
): Promise<{ readonly kind: "admitted" | "known" } | Unavailable> {
  if (!JOIN_TOKEN.test(token)) throw new RangeError("a join token has 22 or more letters, digits or ._~-");
  const key = tokenKey(root, tokenId(token));
  const record: TokenRecord = { version: 1, token, left: uses, expires, admitted: [] };
  const result = await client.transact({
    when: [{ key, is: "absent" }],
    run: [{ do: "put", key, value: JSON.stringify(record) }],
  });
  if (result.kind === "unavailable") return result;
  return { kind: result.kind === "done" && result.held ? "admitted" : "known" };
}

/** Tokens in etcd: good or not on every machine at the same moment. */
export function etcdLedger(client: EtcdClient, root: string): TokenLedger {
  const read = async (id: string) => {
    const found = await client.range({ key: tokenKey(root, id) });
    if (found.kind === "unavailable") return found;
    const [entry] = found.entries;
    const record = entry === undefined ? undefined : parseJson(entry.value, recordSchema);
    return { kind: "found", record, revision: entry?.revision ?? 0 } as const;
  };
  return {
    async find(id, now) {
      const found = await read(id);
      if (found.kind === "unavailable") return found;
      return found.record === undefined || now >= found.record.expires ? undefined : found.record.token;
    },
    async take(id, machine, now) {
      for (let tries = 0; tries < 8; tries++) {
        const found = await read(id);
        if (found.kind === "unavailable") return found;
        const { record, revision } = found;
        if (record === undefined || now >= record.expires) return false;
        if (record.admitted.includes(machine)) return true;
        if (record.left === 0) return false;
        const key = tokenKey(root, id);
        const next: TokenRecord = {
          ...record,
          left: record.left - 1,
          admitted: [...record.admitted, machine],
        };
        const result = await client.transact({
          when: [{ key, is: "at", revision }],
          run: [{ do: "put", key, value: JSON.stringify(next) }],
        });
        if (result.kind === "unavailable") return result;
        if (result.kind === "done" && result.held) return true;
      }
      return false;
    },
  };
}

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
  /** edge: of a node in the DMZ, which gets no certificate for etcd by it. */
  purpose: z.enum(["machine", "edge"]).default("machine"),
});
type TokenRecord = z.output<typeof recordSchema>;

export interface TokenUses {
  /** Machines, each once. */
  readonly uses: number;
  /** ms since the epoch. */
  readonly expires: number;
  /** Default: machine. */
  readonly purpose?: TokenPurpose;
}
export type TokenPurpose = TokenRecord["purpose"];

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
  uses: TokenUses,
): Promise<{ readonly kind: "admitted" | "known" } | Unavailable> {
  if (!JOIN_TOKEN.test(token)) throw new RangeError("a join token has 22 or more letters, digits or ._~-");
  const key = tokenKey(root, tokenId(token));
  const result = await client.transact({
    when: [{ key, is: "absent" }],
    run: [{ do: "put", key, value: recordOf(token, uses) }],
  });
  if (result.kind === "unavailable") return result;
  return { kind: result.kind === "done" && result.held ? "admitted" : "known" };
}

/** A token that is good at this machine alone: for the time before there is an etcd. */
export function localLedger(token: string, { uses, expires }: TokenUses): TokenLedger {
  const known = tokenId(token);
  const admitted = new Set<string>();
  return {
    find: (id, now) => Promise.resolve(id === known && now < expires ? token : undefined),
    take(id, machine, now) {
      const again = admitted.has(machine);
      if (id !== known || now >= expires || (!again && admitted.size >= uses)) return Promise.resolve(false);
      admitted.add(machine);
      return Promise.resolve(true);
    },
  };
}

/**
 * The token of nodes in the DMZ: made in the same way by the Heat templates from the one that the core is given, so that who breaks
 * into a node there has no token of the core.
 */
export function edgeTokenOf(token: string): string {
  return createHash("sha256").update(`edge ${token}`).digest("hex");
}

/** Makes a token good again, used up, expired or forgotten: machines that were let in by it are made anew with the same user data. */
export async function reopenToken(
  client: EtcdClient,
  root: string,
  token: string,
  uses: TokenUses,
): Promise<{ readonly kind: "reopened" } | Unavailable> {
  if (!JOIN_TOKEN.test(token)) throw new RangeError("a join token has 22 or more letters, digits or ._~-");
  const result = await client.put(tokenKey(root, tokenId(token)), recordOf(token, uses));
  if (result.kind === "unavailable") return result;
  return { kind: "reopened" };
}

function recordOf(token: string, { uses, expires, purpose = "machine" }: TokenUses): string {
  const record: TokenRecord = { version: 1, token, left: uses, expires, admitted: [], purpose };
  return JSON.stringify(record);
}

/** Tokens in etcd: good or not on every machine at the same moment, and for nothing but what they were made for. */
export function etcdLedger(
  client: EtcdClient,
  root: string,
  accepts: readonly TokenPurpose[] = ["machine"],
): TokenLedger {
  const read = async (id: string) => {
    const found = await client.range({ key: tokenKey(root, id) });
    if (found.kind === "unavailable") return found;
    const [entry] = found.entries;
    const parsed = entry === undefined ? undefined : parseJson(entry.value, recordSchema);
    const record = parsed !== undefined && accepts.includes(parsed.purpose) ? parsed : undefined;
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

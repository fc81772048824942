import { StoreError } from "../errors.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { descent } from "./precedence.ts";
import type { Replica, Token } from "./replica.ts";

/** Where a write goes, and what it may replace there. */
export interface Target {
  readonly replica: Replica;
  readonly token: Token;
}

export interface ChainWrite {
  readonly key: string;
  readonly entry: Entry;
  /** The encoded entry. */
  readonly bytes: Buffer;
  /** Lifetime of the item. */
  readonly seconds: number;
  /** In chain order. */
  readonly targets: readonly Target[];
}

export type ChainWriteResult =
  /** On all replicas but those away, at least one. */
  | { readonly kind: "stored"; readonly away: readonly Replica[] }
  /** The first replica holds something else than was read; nothing was written. */
  | { readonly kind: "refused" }
  /** Another write was accepted further down the chain; ours was taken back. */
  | { readonly kind: "lost" }
  /** Whether it took effect is not known, unless no replica was reached. */
  | { readonly kind: "unavailable"; readonly cause: Error };

/** A replica that loses the entry again and again while it is written. */
const MAX_TRIES = 8;

type Step = "accepted" | "overtaken" | "lost" | "unknown" | { readonly away: Error; readonly sent: boolean };

/**
 * Writes an entry through the chain, head first, each replica under its guard. Done when the last reachable one has it.
 * Whoever finds the write half way carries it on (readChain), so being helped counts as accepted.
 */
export async function writeChain(write: ChainWrite): Promise<ChainWriteResult> {
  const { targets, key } = write;
  const accepted: Target[] = [];
  const away: Replica[] = [];
  let cause: Error | undefined;
  let ambiguous = false;
  for (const { replica, token } of targets) {
    const first = await replica.write(key, write.bytes, write.seconds, token);
    if (first.kind === "accepted") {
      accepted.push({ replica, token: first.token });
      continue;
    }
    if (first.kind === "away") {
      away.push(replica);
      cause = first.cause;
      ambiguous ||= first.sent;
      continue;
    }
    if (accepted.length === 0 && !ambiguous) return { kind: "refused" };
    const rival: { bytes?: Buffer; seconds: number } = { seconds: 0 };
    const step = await insist(write, replica, accepted, rival);
    if (step === "accepted") continue;
    if (step === "overtaken") return { kind: "stored", away };
    if (step === "unknown") return { kind: "unavailable", cause: fault("overtaken many times") };
    if (step === "lost") return takeBack(write, accepted, rival);
    away.push(replica);
    cause = step.away;
    ambiguous ||= step.sent;
  }
  if (accepted.length > 0) return { kind: "stored", away };
  return { kind: "unavailable", cause: cause ?? fault("no server") };
}

/** The replica holds something else than it did: finds out what that is to our write. */
async function insist(
  write: ChainWrite,
  replica: Replica,
  accepted: Target[],
  rival: { bytes?: Buffer; seconds: number },
): Promise<Step> {
  for (let i = 0; i < MAX_TRIES; i++) {
    const read = await replica.read(write.key);
    if (read.kind === "away") return { away: read.cause, sent: false };
    if (read.kind === "item") {
      const decoded = decodeEntry(write.key, read.bytes);
      if (decoded.kind === "newer") return "unknown";
      const relation = decoded.kind === "entry" ? descent(decoded.entry, write.entry) : "older";
      if (relation === "same") {
        accepted.push({ replica, token: read.token });
        return "accepted";
      }
      if (relation === "descendant") return "overtaken";
      if (relation === "unknown") return "unknown";
      if (relation === "unrelated") {
        rival.bytes = read.bytes;
        rival.seconds = read.seconds;
        return "lost";
      }
    }
    const again = await replica.write(write.key, write.bytes, write.seconds, read.token);
    if (again.kind === "accepted") {
      accepted.push({ replica, token: again.token });
      return "accepted";
    }
    if (again.kind === "away") return { away: again.cause, sent: again.sent };
  }
  return "unknown";
}

/** Puts the rival where ours was accepted, so that nobody mistakes ours for a write on its way. */
async function takeBack(
  { key, entry }: ChainWrite,
  accepted: readonly Target[],
  rival: { readonly bytes?: Buffer; readonly seconds: number },
): Promise<ChainWriteResult> {
  for (const { replica, token } of accepted) {
    if (rival.bytes === undefined) continue;
    const written = await replica.write(key, rival.bytes, Math.max(1, rival.seconds), token);
    if (written.kind === "accepted" || (written.kind === "refused" && (await isGone(replica, key, entry))))
      continue;
    // Ours may stay behind there: should the rival be lost as well, it would come to light.
    return { kind: "unavailable", cause: fault("a lost write could not be taken back") };
  }
  return { kind: "lost" };
}

/** Whether what stands there instead does without ours: who saw that replica only may have built on it. */
async function isGone(replica: Replica, key: string, own: Entry): Promise<boolean> {
  const read = await replica.read(key);
  if (read.kind !== "item") return read.kind === "missing";
  const decoded = decodeEntry(key, read.bytes);
  return decoded.kind === "entry" && descent(decoded.entry, own) === "unrelated";
}

function fault(problem: string): StoreError {
  return new StoreError({ code: "STORE_REPLICAS", problem });
}

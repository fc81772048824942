import { StoreError } from "../errors.ts";
import type { MemcachedCounters } from "./counters.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { descent, laterWins } from "./precedence.ts";
import type { ReadOutcome, Replica, Token } from "./replica.ts";

/** A replica's copy of an entry; without `entry` it has none. */
export interface Copy {
  readonly replica: Replica;
  readonly token: Token;
  readonly entry?: Entry;
  /** The item as stored, and its lifetime left. */
  readonly bytes?: Buffer;
  readonly seconds: number;
}

export type ChainRead =
  | {
      readonly kind: "settled";
      /** Of all replicas that answer, in chain order, alike by now but for entries about to expire. */
      readonly copies: readonly Copy[];
      /** The newest, if there is any; also a tombstone or an entry past its lifetime. */
      readonly winner: Copy | undefined;
      readonly away: readonly Replica[];
    }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** Writers and readers that meet help each other on, so many rounds mean a storm. */
const MAX_ROUNDS = 24;

/** An entry with less to live is not copied any more: with clocks ticking apart it could be handed round for ever. */
const LEAST_SECONDS = 3;

type Seen = Copy & { readonly spoiled?: "rubbish" | "newer" };

/**
 * Reads all replicas of an entry and makes them alike: the newest copy is written over the others, each under the guard of
 * what was read there. Writes only ever replace older copies by newer ones, so it does not matter that the replicas are not
 * read at one instant: a guard that still holds proves that nothing happened there.
 */
export async function readChain(
  chain: readonly Replica[],
  key: string,
  counters: MemcachedCounters,
): Promise<ChainRead> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const away: Replica[] = [];
    let cause: Error | undefined;
    const copies: Seen[] = [];
    const reads = await Promise.all(chain.map((replica) => replica.read(key)));
    for (const [i, read] of reads.entries()) {
      const replica = chain[i] as Replica;
      if (read.kind === "away") {
        away.push(replica);
        cause = read.cause;
      } else {
        copies.push(seen(key, replica, read, copies[0], counters));
      }
    }
    if (copies.length === 0) return { kind: "unavailable", cause: cause ?? fault("no server") };
    if (copies.some(({ spoiled }) => spoiled === "newer"))
      return { kind: "unavailable", cause: fault("an entry of a newer format") };
    if (alike(copies)) return { kind: "settled", copies, winner: present(copies[0]), away };
    const winner = newest(copies);
    if (winner === undefined) return { kind: "unavailable", cause: fault("an entry that cannot be read") };
    const repaired = await repair(copies, winner, key, counters);
    if (repaired !== undefined)
      return {
        kind: "settled",
        copies: repaired.copies,
        winner,
        away: [...away, ...repaired.away],
      };
  }
  return { kind: "unavailable", cause: fault("the entry does not come to rest") };
}

function seen(
  key: string,
  replica: Replica,
  read: ReadOutcome & { kind: "item" | "missing" },
  first: Seen | undefined,
  counters: MemcachedCounters,
): Seen {
  const { token } = read;
  if (read.kind === "missing") return { replica, token, seconds: 0 };
  const { bytes, seconds } = read;
  // As a rule the copies are alike: read once.
  if (first?.entry !== undefined && first.bytes?.equals(bytes))
    return { replica, token, entry: first.entry, bytes, seconds };
  const decoded = decodeEntry(key, bytes);
  if (decoded.kind === "entry" && seconds >= 0)
    return { replica, token, entry: decoded.entry, bytes, seconds };
  counters.rubbish++;
  return { replica, token, seconds, spoiled: decoded.kind === "newer" ? "newer" : "rubbish" };
}

function alike(copies: readonly Seen[]): boolean {
  const first = copies[0];
  if (first?.spoiled !== undefined) return false;
  for (let i = 1; i < copies.length; i++) {
    const { spoiled, entry } = copies[i] as Seen;
    if (spoiled !== undefined || entry?.stamp !== first?.entry?.stamp) return false;
  }
  return true;
}

function present(copy: Copy | undefined): Copy | undefined {
  return copy?.entry === undefined ? undefined : copy;
}

function newest(copies: readonly Copy[]): (Copy & { entry: Entry }) | undefined {
  let best: (Copy & { entry: Entry }) | undefined;
  for (const copy of copies) {
    const { entry } = copy;
    if (entry === undefined || entry.stamp === best?.entry.stamp) continue;
    if (best === undefined || laterWins(best.entry, entry)) best = { ...copy, entry };
  }
  return best;
}

/** Undefined: something changed meanwhile. */
async function repair(
  copies: readonly Copy[],
  winner: Copy & { entry: Entry },
  key: string,
  counters: MemcachedCounters,
): Promise<{ copies: Copy[]; away: Replica[] } | undefined> {
  const alive: Copy[] = [];
  const away: Replica[] = [];
  for (const copy of copies) {
    const { entry, replica, token } = copy;
    const same = entry?.stamp === winner.entry.stamp;
    if (same || winner.bytes === undefined || winner.seconds <= LEAST_SECONDS) {
      alive.push(copy);
      continue;
    }
    const written = await replica.write(key, winner.bytes, winner.seconds, token);
    if (written.kind === "refused" || written.kind === "stale") return undefined;
    if (written.kind === "away") {
      away.push(replica);
      continue;
    }
    counters.repairs++;
    if (entry !== undefined && descent(winner.entry, entry) === "unrelated") counters.conflicts++;
    alive.push({ ...winner, replica, token: written.token });
  }
  return { copies: alive, away };
}

function fault(problem: string): StoreError {
  return new StoreError({ code: "STORE_REPLICAS", problem });
}

/**
 * A contact that a REGISTER has removed, with the Call-ID and CSeq that a REGISTER must come after to bring it back: one that a network
 * or a stopped process held up would otherwise do so (RFC 3261 §10.3 step 7).
 */
export interface RemovedContact {
  readonly impi: string;
  /** As in Binding. */
  readonly key: string;
  readonly callId: string;
  readonly cseq: number;
  /** ms since the epoch: it is forgotten then. */
  readonly until: number;
}

export const NONE_REMOVED: readonly RemovedContact[] = [];

/** How long they are kept, s: longer than any neighbour waits before it goes elsewhere. */
export const REMOVED_SECONDS = 60;
/** The last ones of a set. */
const KEPT = 16;

export type RemovedRow = readonly [impi: string, key: string, callId: string, cseq: number, until: number];

export function removedRow({ impi, key, callId, cseq, until }: RemovedContact): RemovedRow {
  return [impi, key, callId, cseq, until];
}

/** Undefined when they cannot be read. */
export function removedOfRows(rows: unknown): readonly RemovedContact[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const removed: RemovedContact[] = [];
  for (const row of rows as unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [impi, key, callId, cseq, until] = row as unknown[];
    const named = typeof impi === "string" && typeof key === "string" && typeof callId === "string";
    if (!named || typeof cseq !== "number" || typeof until !== "number") return undefined;
    removed.push({ impi, key, callId, cseq, until });
  }
  return removed;
}

/** Those that still count, with the ones just removed. */
export function withRemoved(
  before: readonly RemovedContact[],
  now: number,
  added: readonly RemovedContact[],
): readonly RemovedContact[] {
  if (before.length + added.length === 0) return NONE_REMOVED;
  return [...before.filter(({ until }) => until > now), ...added].slice(-KEPT);
}

/** Would a REGISTER with that Call-ID and CSeq bring back what a later one has removed? */
export function isRemoved(
  removed: readonly RemovedContact[],
  { impi, key, callId, cseq }: Omit<RemovedContact, "until">,
  now: number,
): boolean {
  for (const one of removed)
    if (one.callId === callId && cseq <= one.cseq && one.impi === impi && one.key === key && one.until > now)
      return true;
  return false;
}

/**
 * What clients did to a register that holds a list: writes append their own number to the list that was read, so each list
 * tells all writes before it, and whether a history is linearizable shows in a few comparisons.
 */
export interface Operation {
  readonly kind: "read" | "append" | "delete";
  readonly start: number;
  readonly end: number;
  /** Read: what was found. Append: what was written. Delete: what was there. Empty: not found. */
  readonly list: readonly number[];
  readonly outcome: "done" | "contention" | "unknown";
}

/** The first thing wrong with the history of one key, or undefined. */
export function firstFault(operations: readonly Operation[]): string | undefined {
  const refused = new Set(
    operations
      .filter(({ kind, outcome }) => kind === "append" && outcome === "contention")
      .map(({ list }) => list.at(-1)),
  );
  const seen = operations.filter(({ kind, outcome }) => kind !== "delete" && outcome === "done");
  for (const { list } of seen)
    for (const number of list) if (refused.has(number)) return `${number} was refused and is in ${list}`;

  // Lists that begin alike belong to one life of the entry; they must be prefixes of each other.
  const lives = Map.groupBy(
    seen.filter(({ list }) => list.length > 0),
    ({ list }) => list[0],
  );
  for (const life of lives.values()) {
    const byLength = [...life].sort((a, b) => a.list.length - b.list.length);
    for (let i = 1; i < byLength.length; i++) {
      const short = (byLength[i - 1] as Operation).list;
      const long = (byLength[i] as Operation).list;
      if (short.some((number, at) => long[at] !== number)) return `lost update: ${short} and ${long}`;
    }
    for (const before of life)
      for (const after of life)
        if (before.end < after.start && after.list.length < before.list.length)
          return `went back: ${before.list} at ${before.end}, then ${after.list} at ${after.start}`;
    const appends = life.filter(({ kind }) => kind === "append").map(({ list }) => list.length);
    if (new Set(appends).size !== appends.length) return `two writers won on one version of ${life[0]?.list}`;
  }

  const deletes = operations.filter(({ kind, outcome }) => kind === "delete" && outcome === "done");
  for (const gone of deletes)
    for (const after of seen)
      if (after.start > gone.end && after.list.length > 0 && after.list[0] === gone.list[0])
        return `came back: ${gone.list} deleted at ${gone.end}, ${after.list} at ${after.start}`;

  // An entry that was there stays until somebody deletes it.
  const maybeDeleted = operations.filter(
    ({ kind, outcome }) => kind === "delete" && outcome !== "contention",
  );
  for (const before of seen)
    for (const after of seen) {
      if (before.list.length === 0 || after.list.length > 0 || after.kind !== "read") continue;
      if (before.end >= after.start) continue;
      const excused = maybeDeleted.some(({ list, start }) => list[0] === before.list[0] && start < after.end);
      if (!excused) return `lost entry: ${before.list} at ${before.end}, none at ${after.start}`;
    }
  return undefined;
}

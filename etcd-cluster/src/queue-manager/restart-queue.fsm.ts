import { z } from "zod";

const entrySchema = z.object({
  /** Of the member that is to restart: sprout-2 */
  name: z.string().min(1).max(300),
  state: z.enum(["queued", "restarting", "done", "failed"]),
  /** Of this state, ms since the epoch. */
  since: z.number(),
});

type Entry = Readonly<z.output<typeof entrySchema>>;

/** Who of a pool is to restart, one after the other. */
export const restartQueueSchema = z.object({
  version: z.literal(1),
  entries: z.array(entrySchema).max(1000),
});
export type RestartQueue = Readonly<z.output<typeof restartQueueSchema>>;

export type QueueInput =
  /** An operator, or a new configuration, wants these to restart. Whoever is in the queue already is not put there twice. */
  | { readonly kind: "enqueue"; readonly names: readonly string[] }
  /** The queue stopped at a failure: those that failed are tried again. */
  | { readonly kind: "resume" }
  /** Takes out those that have not begun. */
  | { readonly kind: "cancel" }
  /** The member itself: it is up again and healthy, or will not be. */
  | { readonly kind: "finished"; readonly name: string; readonly healthy: boolean }
  /** Time goes by. */
  | ({ readonly kind: "look" } & PoolView);

export interface PoolView {
  /** Members that are registered. */
  readonly registered: ReadonlySet<string>;
  /** Those of them that are known to be well. */
  readonly healthy: ReadonlySet<string>;
  /** For how long those of the queue that are not registered have not been, ms. */
  readonly absentMs: ReadonlyMap<string, number>;
}

export interface QueueTimes {
  /** A restart that takes longer has failed. Who is not registered for so long is forgotten. Default 900,000. */
  readonly timeoutMs?: number | undefined;
  /** Who is not registered for longer has left; before, it may be a machine that starts again. Default 60,000. */
  readonly leftMs?: number | undefined;
}

/**
 * The next queue, or undefined when nothing changes. At most one member restarts; the next begins only when every other
 * member that is expected is healthy, and none after a failure until an operator resumes. Who has left is passed over.
 */
export function stepQueue(
  queue: RestartQueue,
  input: QueueInput,
  now: number,
  { timeoutMs = 900_000, leftMs = 60_000 }: QueueTimes = {},
): RestartQueue | undefined {
  const { entries } = queue;
  const to = (name: string, state: Entry["state"]): RestartQueue => ({
    ...queue,
    entries: entries.map((one) => (one.name === name ? { name, state, since: now } : one)),
  });
  switch (input.kind) {
    case "enqueue": {
      const open = new Set(entries.filter(({ state }) => state !== "done").map(({ name }) => name));
      const fresh = [...new Set(input.names)].filter((name) => !open.has(name));
      if (fresh.length === 0) return undefined;
      const kept = entries.filter(({ name }) => !fresh.includes(name));
      return {
        ...queue,
        entries: [...kept, ...fresh.map((name) => ({ name, state: "queued" as const, since: now }))],
      };
    }
    case "resume": {
      if (!entries.some(({ state }) => state === "failed")) return undefined;
      return {
        ...queue,
        entries: entries.map((one) =>
          one.state === "failed" ? { name: one.name, state: "queued" as const, since: now } : one,
        ),
      };
    }
    case "cancel": {
      const left = entries.filter(({ state }) => state !== "queued" && state !== "failed");
      return left.length === entries.length ? undefined : { ...queue, entries: left };
    }
    case "finished": {
      const own = entries.find(({ name, state }) => name === input.name && state === "restarting");
      return own === undefined ? undefined : to(input.name, input.healthy ? "done" : "failed");
    }
    case "look": {
      const running = entries.find(({ state }) => state === "restarting");
      if (running !== undefined)
        return now - running.since >= timeoutMs ? to(running.name, "failed") : undefined;
      const absent = ({ name }: Entry): number =>
        input.registered.has(name) ? 0 : (input.absentMs.get(name) ?? 0);
      // A failure stands until somebody has seen it: the machine may be gone because of the restart.
      const kept = entries.filter((one) => one.state === "failed" || absent(one) < timeoutMs);
      if (kept.length < entries.length) return { ...queue, entries: kept };
      const queued = entries.filter(({ state }) => state === "queued");
      const next = queued.find(({ name }) => input.registered.has(name));
      if (next === undefined || entries.some(({ state }) => state === "failed")) return undefined;
      // Who was restarted while others waited must be back before the next one goes; who was before they came may have left since.
      const began = Math.min(...queued.map(({ since }) => since));
      const awaited = entries.filter(
        (one) =>
          absent(one) < leftMs || (one.state === "done" && one.since >= began && now - one.since < timeoutMs),
      );
      const expected = new Set([...input.registered, ...awaited.map(({ name }) => name)]);
      const unwell = [...expected].some((name) => name !== next.name && !input.healthy.has(name));
      return unwell ? undefined : to(next.name, "restarting");
    }
  }
}

import { z } from "zod";

const entry = z.object({
  /** Of the member that is to restart: sprout-2 */
  name: z.string().min(1).max(300),
  state: z.enum(["queued", "restarting", "done", "failed"]),
  /** Of this state, ms since the epoch. */
  since: z.number(),
});

/** Who of a pool is to restart, one after the other. */
export const restartQueueSchema = z.object({
  version: z.literal(1),
  entries: z.array(entry).max(1000),
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
  /** Time goes by. `healthy`: members of the pool that are known to be well. */
  | { readonly kind: "look"; readonly healthy: ReadonlySet<string>; readonly expected: ReadonlySet<string> };

/** A restart that takes longer has failed, ms. */
export const RESTART_TIMEOUT_MS = 900_000;

/**
 * The next queue, or undefined when nothing changes. At most one member restarts; the next begins only when every other
 * member that is expected is healthy, and none after a failure until an operator resumes.
 */
export function stepQueue(
  queue: RestartQueue,
  input: QueueInput,
  now: number,
  timeoutMs: number = RESTART_TIMEOUT_MS,
): RestartQueue | undefined {
  const { entries } = queue;
  const to = (name: string, state: RestartQueue["entries"][number]["state"]): RestartQueue => ({
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
      const next = entries.find(({ state }) => state === "queued");
      if (next === undefined || entries.some(({ state }) => state === "failed")) return undefined;
      const unwell = [...input.expected].some((name) => name !== next.name && !input.healthy.has(name));
      return unwell ? undefined : to(next.name, "restarting");
    }
  }
}

import { isStatus, OpenStackError } from "../openstack/errors.ts";
import { type Heat, type Stack, statusOf } from "../openstack/heat.ts";
import { failuresIn, membersIn } from "./heat-tree.ts";
import { waitForStack } from "./heat-wait.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";

export interface HeatChange {
  readonly stack: Stack;
  readonly pools: readonly { readonly pool: string; readonly size: number }[];
  /** Asks Heat; it may answer that another action is in progress. */
  readonly submit: () => Promise<void>;
  readonly said: string;
  /** What was waited for has brought it about already. */
  readonly satisfied?: (stack: Stack) => boolean;
  /** Why what is to be changed is not what it was when this was decided, after somebody else's action. */
  readonly overtaken?: (stack: Stack) => string | undefined;
  readonly clearHooks: boolean;
  readonly next: readonly string[];
}

const TRIES = 5;

/** Minutes for Heat's own limit of an operation, which is given in whole ones. */
export function minutes(ms: number): number {
  return Math.max(1, Math.ceil(ms / 60_000));
}

/**
 * An upgrade may have left REPLACE: every member whose user data has a new list or token would be made anew. One that has not ended
 * yet needs it still.
 */
export function userDataKept(whole: boolean): { readonly user_data_update?: "IGNORE" } {
  return whole ? { user_data_update: "IGNORE" } : {};
}

/**
 * Has Heat change a stack, and waits for the end of it. Heat does one action at a time: another's is waited for first. An
 * answer that says nothing about whether it was begun (500, a lost connection) is settled by looking at the stack.
 */
export async function changeStack(heat: Heat, change: HeatChange, run: Run): Promise<Outcome> {
  const deadline = run.pace.now() + run.timeoutMs;
  const ref = { name: change.stack.stack_name, id: change.stack.id };
  const wait = (since?: string | null) =>
    waitForStack(
      heat,
      {
        stack: ref,
        pools: change.pools,
        clearHooks: change.clearHooks,
        deadline,
        ...(since === undefined ? {} : { since }),
      },
      run,
    );
  let before: Stack | undefined = change.stack;
  for (let turn = 1; ; turn++) {
    if (statusOf(before.stack_status) === "IN_PROGRESS") {
      run.progress(`waiting for the end of ${before.stack_status}`);
      const ended = await wait();
      if (ended.kind === "late") return late(ended.status, change.next);
      if (ended.kind === "gone") return failed(`${ref.name} was deleted meanwhile`, [], change.next);
      before = ended.stack;
      const satisfied = change.satisfied?.(before) === true;
      if (satisfied && statusOf(before.stack_status) === "COMPLETE") return done(change.said);
      // What was asked for is there, unfinished: it was ours, or might be.
      const reason = satisfied ? undefined : change.overtaken?.(before);
      if (reason !== undefined) return failed(reason, [], change.next);
    }
    try {
      await change.submit();
      break;
    } catch (error) {
      if (turn === TRIES || !(error instanceof OpenStackError)) throw error;
      const unclear =
        isStatus(error, 409, 500, 502, 503, 504) ||
        (error.detail.code === "UNREACHABLE" && error.detail.maybeDone);
      if (!unclear) throw error;
      run.progress(`${error.message}; looking whether it was begun`);
      await run.pace.sleep(2_000 * turn, run.signal);
      const now = await heat.stack(ref, run.signal);
      if (now === undefined) return failed(`${ref.name} was deleted meanwhile`, [], change.next);
      const begun = (now.updated_time ?? null) !== (before.updated_time ?? null);
      // 409: it was refused, so what is in progress is another's.
      if (begun && !isStatus(error, 409)) break;
      before = now;
    }
  }
  const result = await wait(before.updated_time ?? null);
  if (result.kind === "late") return late(result.status, change.next);
  if (result.kind === "gone") return failed(`${ref.name} was deleted meanwhile`, [], change.next);
  if (statusOf(result.stack.stack_status) === "COMPLETE") return done(change.said);
  return failed(
    await whyFailed(heat, result.stack, run.signal),
    await existing(heat, result.stack, change.pools, run.signal),
    change.next,
  );
}

export function late(status: string, next: readonly string[]): Outcome {
  return failed(`Heat is still at it (${status}) and goes on; no longer waited for`, [], next);
}

/** The innermost failures, or else what the stack says. */
export async function whyFailed(heat: Heat, stack: Stack, signal?: AbortSignal): Promise<string> {
  const resources = (await heat.resources({ name: stack.stack_name, id: stack.id }, 4, signal)) ?? [];
  const inner = failuresIn(resources);
  const own = (stack.stack_status_reason ?? "").replace(/\s+/g, " ");
  return `${stack.stack_status}: ${inner.length === 0 ? own : inner.join("; ")}`;
}

/** What of a stack exists now, a line each. */
export async function existing(
  heat: Heat,
  stack: Stack,
  pools: readonly { readonly pool: string; readonly size: number }[],
  signal?: AbortSignal,
): Promise<string[]> {
  const ref = { name: stack.stack_name, id: stack.id };
  const resources = await heat.resources(ref, 2, signal);
  if (resources === undefined) return [];
  const lines = [`stack ${ref.name}, ${stack.stack_status}`];
  const members = membersIn(
    resources,
    ref.id,
    pools.map(({ pool }) => pool),
  );
  for (const { pool, size } of pools) {
    const own = members.filter((one) => one.pool === pool);
    const ready = own.filter(({ status }) => status === "COMPLETE").length;
    const servers = own.filter(({ serverId }) => serverId !== undefined).length;
    lines.push(`${pool}: ${ready} of ${size} members complete, ${servers} servers`);
  }
  return lines;
}

import { OpenStackError } from "../openstack/errors.ts";
import {
  actionOf,
  type Heat,
  nestedOf,
  type Stack,
  type StackRef,
  type StackResource,
  statusOf,
} from "../openstack/heat.ts";
import { failuresIn, membersIn, type PoolCount, poolCounts } from "./heat-tree.ts";
import type { Run } from "./outcome.ts";

export interface WaitRequest {
  readonly stack: StackRef;
  readonly pools: readonly { readonly pool: string; readonly size: number }[];
  /** `updated_time` before the operation: an end that is older is not its end. */
  readonly since?: string | null | undefined;
  /** Lets members go on that wait at a pre-delete hook: they are drained. */
  readonly clearHooks: boolean;
  /** ms since the epoch. */
  readonly deadline: number;
}

export type WaitResult =
  | { readonly kind: "ended"; readonly stack: Stack }
  | { readonly kind: "gone" }
  | { readonly kind: "late"; readonly status: string };

const POLL_MS = 2_000;
const POLL_MAX_MS = 30_000;
/** So long Heat may take to begin what it has accepted. */
const BEGIN_MS = 20_000;

/** Waits until Heat has ended what it does with a stack, and tells of members as they come and go. */
export async function waitForStack(heat: Heat, request: WaitRequest, run: Run): Promise<WaitResult> {
  const { stack: ref, pools, since, clearHooks, deadline } = request;
  const begun = run.pace.now();
  let told = "";
  let status = "";
  for (;;) {
    const looked = run.pace.now();
    const stack = await heat.stack(ref, run.signal);
    if (stack === undefined || stack.stack_status === "DELETE_COMPLETE") return { kind: "gone" };
    status = stack.stack_status;
    const old =
      since !== undefined &&
      (stack.updated_time ?? null) === (since ?? null) &&
      run.pace.now() - begun < BEGIN_MS;
    if (statusOf(status) !== "IN_PROGRESS" && !old) return { kind: "ended", stack };
    const resources = await progressOf(heat, ref, run);
    if (resources !== undefined) {
      const names = pools.map(({ pool }) => pool);
      const counts = poolCounts(membersIn(resources, ref.id, names), pools);
      const line = counts.map(({ pool, ready, of }) => `${pool} ${ready} of ${of}`).join(", ");
      const action = actionOf(status).toLowerCase();
      if (action !== "delete" && counts.length > 0)
        run.amount?.("members ready", sumOf(counts, "ready"), sumOf(counts, "of"));
      const doing = line === "" ? action : `${action}: ${line}`;
      if (doing !== told) run.progress(doing);
      told = doing;
      for (const failure of failuresIn(resources).slice(0, 1))
        if (!told.includes(failure)) {
          run.progress(failure);
          told = `${told} ${failure}`;
        }
      if (clearHooks) await clearDeleteHooks(heat, ref, run);
    }
    if (run.pace.now() >= deadline) return { kind: "late", status };
    // A Heat that is slow to say is asked less often.
    await run.pace.sleep(Math.min(POLL_MAX_MS, Math.max(POLL_MS, 2 * (run.pace.now() - looked))), run.signal);
  }
}

function sumOf(counts: readonly PoolCount[], of: "ready" | "of"): number {
  return counts.reduce((sum, one) => sum + one[of], 0);
}

/** How far it is; a Heat that is too busy to say is not disturbed any more, and what it does is not given up. */
async function progressOf(heat: Heat, ref: StackRef, run: Run): Promise<StackResource[] | undefined> {
  try {
    return await heat.resources(ref, 2, run.signal, 1);
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error;
    run.progress(`how far it is, Heat does not say now: ${error.message}`);
    return undefined;
  }
}

const WAITS = /paused until Hook pre-delete is cleared/;

/** Resources that wait at pre-delete: of their events, which are newest first, the last one says so. */
async function clearDeleteHooks(heat: Heat, ref: StackRef, run: Run): Promise<void> {
  const seen = new Set<string>();
  for (const event of await heat.events(ref, 3, run.signal)) {
    const key = event.physical_resource_id ?? event.resource_name;
    if (seen.has(key)) continue;
    seen.add(key);
    if (!WAITS.test(event.resource_status_reason ?? "")) continue;
    const href = event.links.find(({ rel }) => rel === "stack")?.href;
    const owner = nestedOf({
      resource_name: "",
      resource_type: "",
      resource_status: "",
      links: href === undefined ? [] : [{ rel: "nested", href }],
    });
    if (owner === undefined) continue;
    try {
      await heat.clearHook(owner, event.resource_name, "pre-delete", run.signal);
      run.progress(`${owner.name}: ${event.resource_name} may be deleted (hook cleared)`);
    } catch (error) {
      // Cleared by someone else, or gone meanwhile.
      if (!(error instanceof OpenStackError) || ![400, 404].includes(error.status ?? 0)) throw error;
    }
  }
}

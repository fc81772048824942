import { isDeepStrictEqual } from "node:util";
import { isStatus, OpenStackError } from "../openstack/errors.ts";
import { actionOf, type Heat, type Stack, statusOf } from "../openstack/heat.ts";
import type { Deployment } from "./deployment.ts";
import { changeStack, existing, late, minutes, whyFailed } from "./heat-change.ts";
import { poolsOf } from "./heat-instance.ts";
import { waitForStack } from "./heat-wait.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";

/**
 * Makes the stack, or goes on with one that is there: a stack that is being made is waited for, one that failed is
 * completed by an update with the same definition, one that is being deleted is made anew afterwards.
 */
export async function instantiateByHeat(
  heat: Heat,
  name: string,
  deployment: Deployment,
  run: Run,
): Promise<Outcome> {
  const pools = poolsOf(deployment.parameters);
  const deadline = run.pace.now() + run.timeoutMs;
  const next = nextFor(name);
  let stack = await heat.stack(name, run.signal);
  if (stack !== undefined && actionOf(stack.stack_status) === "DELETE") {
    if (statusOf(stack.stack_status) === "FAILED")
      return failed(
        await whyFailed(heat, stack, run.signal),
        await existing(heat, stack, pools, run.signal),
        [`tidewater vnf terminate ${name}`, "then the same command again"],
      );
    run.progress(`waiting until the old ${name} is deleted`);
    const gone = await waitForStack(
      heat,
      { stack: { name, id: stack.id }, pools, clearHooks: false, deadline },
      run,
    );
    if (gone.kind !== "gone") return late("DELETE", next);
    stack = undefined;
  }
  if (stack === undefined) {
    const made = await create(heat, name, deployment, run);
    if (made === undefined) return failed("Heat says that it was made, and does not have it", [], next);
    run.progress(`stack ${name} (${made.id})`);
    stack = made;
  } else {
    const different = differences(stack, deployment);
    if (different.length > 0)
      return failed(
        `${name} exists with other values: ${different.join(", ")}`,
        await existing(heat, stack, pools, run.signal),
        [
          `tidewater vnf scale ${name} ... or tidewater vnf upgrade ${name} ... change sizes and image`,
          `tidewater vnf terminate ${name} removes it`,
        ],
      );
    if (stack.stack_status === "CREATE_COMPLETE" || stack.stack_status === "UPDATE_COMPLETE")
      return done(`${name} is there already, ${stack.stack_status}`, false);
    if (statusOf(stack.stack_status) === "IN_PROGRESS")
      run.progress(`${name} is there, ${stack.stack_status}: going on with it`);
  }
  if (statusOf(stack.stack_status) === "IN_PROGRESS") {
    const ended = await waitForStack(
      heat,
      { stack: { name, id: stack.id }, pools, clearHooks: false, deadline },
      run,
    );
    if (ended.kind === "late") return late(ended.status, next);
    if (ended.kind === "gone") return failed(`${name} was deleted meanwhile`, [], next);
    if (statusOf(ended.stack.stack_status) === "COMPLETE")
      return done(`${name} is made, ${ended.stack.stack_status}`);
    return failed(
      await whyFailed(heat, ended.stack, run.signal),
      await existing(heat, ended.stack, pools, run.signal),
      next,
    );
  }
  if (statusOf(stack.stack_status) === "COMPLETE") return done(`${name} is made, ${stack.stack_status}`);
  run.progress(`${name} is there, ${stack.stack_status}: making what is missing`);
  const { id } = stack;
  return changeStack(
    heat,
    {
      stack,
      pools,
      submit: () => heat.update({ name, id }, deployment.definition, minutes(run.timeoutMs), run.signal),
      said: `${name} is completed`,
      clearHooks: false,
      next,
    },
    run,
  );
}

function nextFor(name: string): string[] {
  return [
    "the same command again goes on from here",
    `tidewater vnf status ${name} tells more`,
    `tidewater vnf terminate ${name} removes all of it`,
  ];
}

/** A stack's name is its own only once: whether a lost answer meant yes is seen by it. */
async function create(
  heat: Heat,
  name: string,
  deployment: Deployment,
  run: Run,
): Promise<Stack | undefined> {
  for (let turn = 1; ; turn++)
    try {
      await heat.create(name, deployment.definition, minutes(run.timeoutMs), run.signal);
      return await heat.stack(name, run.signal);
    } catch (error) {
      const unclear =
        isStatus(error, 409, 500, 502, 503, 504) ||
        (error instanceof OpenStackError && error.detail.code === "UNREACHABLE" && error.detail.maybeDone);
      if (!unclear || turn === 5) throw error;
      run.progress(`${error instanceof Error ? error.message : ""}; looking whether it was begun`);
      await run.pace.sleep(2_000 * turn, run.signal);
      const made = await heat.stack(name, run.signal);
      if (made !== undefined) return made;
    }
}

/** Parameters of a stack that are not what is wanted now; never those that are hidden. */
export function differences(stack: Stack, { parameters, hidden }: Deployment): string[] {
  const now = new Map(Object.entries(stack.parameters));
  return [...parameters].flatMap(([name, wanted]) => {
    if (hidden.has(name) || !now.has(name)) return [];
    const is = now.get(name);
    const shown = (typeof is === "string" ? is : JSON.stringify(is)).replace(/^\[(.*)\]$/s, "$1");
    const plain = (text: string): string => text.replace(/["'\s]/g, "").replace(/^u(?=')/, "");
    const map = jsonOf(wanted);
    const same = plain(shown) === plain(wanted) || (map !== undefined && isDeepStrictEqual(jsonOf(is), map));
    return same ? [] : [`${name} is ${shown}, not ${wanted}`];
  });
}

/** A map, however its keys are ordered; undefined for anything else. */
function jsonOf(value: unknown): unknown {
  if (typeof value === "object") return value ?? undefined;
  try {
    const json: unknown = JSON.parse(String(value));
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

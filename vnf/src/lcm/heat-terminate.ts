import { actionOf, statusOf } from "../openstack/heat.ts";
import { late, whyFailed } from "./heat-change.ts";
import { type InventoryModules, possessionsOf, removePossession, stillThere } from "./heat-inventory.ts";
import { waitForStack } from "./heat-wait.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";

const TRIES = 3;

/** Deletes the stack, again when Heat could not, and looks whether anything it had made is left; removes that, too. */
export async function terminateByHeat(modules: InventoryModules, name: string, run: Run): Promise<Outcome> {
  const { heat } = modules;
  const deadline = run.pace.now() + run.timeoutMs;
  const next = [`tidewater vnf terminate ${name} again goes on from here`];
  let stack = await heat.stack(name, run.signal);
  if (stack === undefined) return done(`there is no ${name}`, false);
  const ref = { name, id: stack.id };
  const possessions = await possessionsOf(modules, ref, run.signal);
  run.progress(`${name} has ${possessions.length} servers, volumes, ports, networks and groups`);
  for (let turn = 1; ; turn++) {
    const busy = actionOf(stack.stack_status) === "DELETE" && statusOf(stack.stack_status) === "IN_PROGRESS";
    if (!busy) await heat.delete(ref, run.signal);
    const ended = await waitForStack(
      heat,
      {
        stack: ref,
        pools: [],
        clearHooks: true,
        deadline,
        // A stack whose deletion has failed before looks ended until Heat has begun again.
        ...(busy ? {} : { since: stack.updated_time ?? null }),
      },
      run,
    );
    if (ended.kind === "late") return late(ended.status, next);
    if (ended.kind === "gone") break;
    const reason = await whyFailed(heat, ended.stack, run.signal);
    if (turn === TRIES) {
      const left = await stillThere(modules, possessions, run.signal);
      return failed(
        reason,
        left.map((one) => `${one.type} ${one.id} (${one.name})`),
        next,
      );
    }
    run.progress(`${reason}; deleting once more`);
    await run.pace.sleep(3_000 * turn, run.signal);
    stack = ended.stack;
  }
  const orphans = await stillThere(modules, possessions, run.signal);
  for (const orphan of orphans) {
    run.progress(`left behind: ${orphan.type} ${orphan.id} (${orphan.name}); deleting it`);
    await removePossession(modules, orphan, run.signal);
  }
  if (orphans.length > 0) await run.pace.sleep(3_000, run.signal);
  const left = orphans.length === 0 ? [] : await stillThere(modules, orphans, run.signal);
  if (left.length > 0)
    return failed(
      "the stack is gone, but not all it had made",
      left.map((one) => `${one.type} ${one.id} (${one.name})`),
      ["delete these with the openstack command: no stack has them any more"],
    );
  return done(`${name} is gone, and ${possessions.length} things it had made with it`);
}

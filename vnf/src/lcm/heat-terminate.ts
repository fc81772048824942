import { OpenStackError } from "../openstack/errors.ts";
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
  let left = await stillThere(modules, possessions, run.signal);
  for (const { type, id, name: called } of left)
    run.progress(`left behind: ${type} ${id} (${called}); deleting it`);
  // Nova takes its time for a server, and until then its volume and ports are in use.
  for (let turn = 1; left.length > 0 && turn <= TRIES; turn++) {
    for (const orphan of left)
      await removePossession(modules, orphan, run.signal).catch((error: unknown) => {
        if (!(error instanceof OpenStackError)) throw error;
        run.progress(`${orphan.type} ${orphan.id}: ${error.message}`);
      });
    await run.pace.sleep(3_000 * turn, run.signal);
    left = await stillThere(modules, left, run.signal);
  }
  if (left.length > 0)
    return failed(
      "the stack is gone, but not all it had made",
      left.map((one) => `${one.type} ${one.id} (${one.name})`),
      ["delete these with the openstack command: no stack has them any more"],
    );
  return done(`${name} is gone, and ${possessions.length} things it had made with it`);
}

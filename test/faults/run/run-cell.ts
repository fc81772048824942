import { setTimeout as delay } from "node:timers/promises";
import type { Bound } from "../history/bindings.ts";
import type { FaultRecord } from "../history/calls.ts";
import { checkHistory } from "../history/check.ts";
import { checkAssignments } from "../history/effects.ts";
import { emptyHistory, type History } from "../history/operations.ts";
import type { Load } from "../load/load.ts";
import type { Stage } from "../load/world.ts";
import { MachineWatch } from "../machine/machine-watch.ts";
import { type Cell, nameOf } from "../nemesis/cells.ts";
import type { Nemesis } from "../nemesis/nemesis.ts";
import type { Random } from "../random.ts";
import { type CellFigures, figuresOf } from "../report/figures.ts";
import type { Core } from "../system/core.ts";
import { auditStores } from "./audit-stores.ts";

/** Load before the first fault, and between the heal of one and the next, ms. */
const SETTLE_MS = 1_000;
/** A stage of a procedure comes by often; if it does not, the core serves nobody, ms. */
const STAGE_WITHIN_MS = 15_000;

export interface CellRun {
  readonly figures: CellFigures;
  readonly history: History;
  readonly faults: readonly FaultRecord[];
}

export interface CellModules {
  readonly core: Core;
  readonly load: Load;
  readonly nemesis: Nemesis;
  readonly random: Random;
  /** Where files may be left. */
  readonly folder: string;
}

/** One cell: load, faults at its stage, heals, quiet, audit, verdict. `lasts`: of the fault, ms. */
export async function runCell(
  cell: Cell,
  rounds: number,
  { core, load, nemesis, random, folder }: CellModules,
  lasts?: number,
): Promise<CellRun> {
  const { world } = load;
  const initially = await freshHistory(load);
  const assignedBefore = await assignments(core);
  const faults: FaultRecord[] = [];
  const watch = new MachineWatch();
  load.start();
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && cell.target === "bono") {
      await load.pause();
      await load.spread();
      load.start();
    }
    await delay(SETTLE_MS + random.between(0, 500));
    const strike = (preferred: readonly string[]): Promise<void> => {
      const victims = nemesis.victims(cell.target, preferred);
      const { record, healed } = nemesis.strike(cell.fault, cell.target, victims, lasts);
      faults.push(record);
      return healed;
    };
    if (cell.phase === "idle") {
      await load.pause();
      const healed = strike([]);
      await delay(random.between(0, 200));
      load.start();
      await healed;
    } else if (cell.phase === "any") await strike([]);
    else await whenReached(load, cell.phase, random, strike);
  }
  await delay(SETTLE_MS);
  await load.pause();
  await load.audit();
  const machine = watch.end();
  const { history } = world;
  const assigned = difference(await assignments(core), assignedBefore);
  const heard = cell.target === "homestead" ? undefined : assigned;
  const stored = await auditStores(core, world.told, folder);
  const violations = [
    ...stored,
    ...checkHistory(history, faults, initially),
    ...checkAssignments(history.registers, faults, heard),
  ];
  return { figures: figuresOf(nameOf(cell), history, faults, violations, machine), history, faults };
}

/** Server-Assignment-Requests that the HSS has granted; undefined when a member cannot be asked. */
export async function assignments(core: Core): Promise<number | undefined> {
  let sum = 0;
  for (const member of core.pool("homestead")) {
    const value = await core.metric(
      member,
      "ims_diameter_requests_received_total",
      'result="success",command="SAR"',
    );
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** Every device registered, a new history, and what is bound as it begins. */
export async function freshHistory(load: Load): Promise<Bound> {
  const { world } = load;
  await load.registerAll();
  world.history = emptyHistory();
  return new Map(
    [...Map.groupBy(load.ues, ({ aor }) => aor)].map(([aor, ues]) => [
      aor,
      ues.filter(({ registeredAt }) => registeredAt !== undefined).map(({ options }) => options.device),
    ]),
  );
}

/** Strikes when a procedure reaches a stage: at once, or while its next message is on its way. Resolves when healed. */
async function whenReached(
  load: Load,
  stage: Stage,
  random: Random,
  strike: (edges: readonly string[]) => Promise<void>,
): Promise<void> {
  const { world } = load;
  const wait = random.next() < 0.5 ? 0 : random.between(0, 8);
  const healed = await new Promise<{ healed: Promise<void> }>((resolve, reject) => {
    const late = setTimeout(() => {
      world.reached = () => undefined;
      reject(new Error(`no procedure reached the stage ${stage} within ${STAGE_WITHIN_MS / 1000} s`));
    }, STAGE_WITHIN_MS);
    world.reached = (reached, edges) => {
      if (reached !== stage) return;
      world.reached = () => undefined;
      clearTimeout(late);
      if (wait === 0) resolve({ healed: strike(edges) });
      else setTimeout(() => resolve({ healed: strike(edges) }), wait);
    };
  });
  await healed.healed;
}

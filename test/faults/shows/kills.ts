import { setTimeout as delay } from "node:timers/promises";
import type { SuiteOptions } from "../command-line.ts";
import type { FaultKind, Target } from "../nemesis/cells.ts";
import { type CellFigures, quantile } from "../report/figures.ts";
import { type Bench, record } from "../run/bench.ts";
import { runCell } from "../run/run-cell.ts";
import { atMost, type Show } from "./show.ts";

interface Kills {
  readonly name: string;
  readonly fault: FaultKind;
  readonly target: Target;
  readonly rounds: number;
  /** ms */
  readonly lasts?: number;
  readonly options?: Partial<SuiteOptions>;
  readonly limits: Show["limits"];
}

/** Processes that have just been started compile what they run: a core in service has done so. */
const WARM_UP_MS = 20_000;

async function warmUp(load: Bench["load"]): Promise<void> {
  load.start();
  await delay(WARM_UP_MS);
  await load.pause();
}

/** Faults at random moments under steady load. */
function kills({ name, fault, target, rounds, lasts, options, limits }: Kills): Show {
  return {
    name,
    options: options ?? {},
    run: async (bench) => {
      await warmUp(bench.load);
      const { figures, history, faults } = await runCell(
        { fault, target, phase: "any" },
        rounds,
        bench,
        lasts,
      );
      record(bench.folder, "history.json", { faults, history });
      return { ...figures, cell: `${fault}/${target}/${name}` };
    },
    limits,
  };
}

const felt = (figures: CellFigures, what: "slowestRegister" | "slowestSetUp"): number[] =>
  figures.faults.map((fault) => fault[what]);

const sproutLimits = (figures: CellFigures) => [
  ...atMost("slowest REGISTER near a kill", Math.max(0, ...felt(figures, "slowestRegister")), 250),
  ...atMost("median over the kills", quantile(felt(figures, "slowestRegister"), 0.5), 100),
  ...atMost("slowest call set-up near a kill", Math.max(0, ...felt(figures, "slowestSetUp")), 300),
];

const storeLimits = (figures: CellFigures) => atMost("p99 of all procedures", figures.p99, 200);
const cluster = { stores: "memcached,cassandra=3" };

export const KILLS: readonly Show[] = [
  kills({
    ...{ name: "sprout-tcp", fault: "kill", target: "sprout", rounds: 20 },
    options: { transports: ["tcp"] },
    limits: sproutLimits,
  }),
  kills({
    ...{ name: "sprout-udp", fault: "kill", target: "sprout", rounds: 20 },
    options: { transports: ["udp"] },
    limits: sproutLimits,
  }),
  kills({
    ...{ name: "bono", fault: "kill", target: "bono", rounds: 10 },
    limits: (figures) => {
      const elsewhere = figures.faults.flatMap((fault) => fault.elsewhere);
      return atMost("first good answer elsewhere", Math.max(0, ...elsewhere), 400);
    },
  }),
  kills({
    name: "memcached-all",
    fault: "kill",
    target: "memcached-all",
    rounds: 3,
    lasts: 8_000,
    limits: () => [],
  }),
  kills({
    ...{ name: "cassandra-killed", fault: "kill", target: "cassandra", rounds: 1, lasts: 10_000 },
    options: cluster,
    limits: storeLimits,
  }),
  kills({
    ...{ name: "cassandra-frozen", fault: "freeze", target: "cassandra", rounds: 2, lasts: 10_000 },
    options: cluster,
    limits: storeLimits,
  }),
  kills({
    ...{ name: "cassandra-away", fault: "kill", target: "cassandra-all", rounds: 1, lasts: 60_000 },
    limits: () => [],
  }),
];

import { parseArgs } from "node:util";

export interface SuiteOptions {
  readonly only: string;
  readonly rounds: number;
  readonly seed: number;
  readonly short: boolean;
  readonly shows: boolean;
  readonly list: boolean;
  readonly pools: string;
  readonly stores: string;
  readonly transports: readonly ("udp" | "tcp")[];
  readonly subscribers: number;
  readonly registers: number;
  readonly calls: number;
  readonly out: string;
  /** How long a machine is waited for that is not disturbed, ms; 0: no run waits or is repeated. */
  readonly patienceMs: number;
  readonly save: boolean;
  /** Silence after which UEs try another edge node, ms; as usual when absent. */
  readonly silenceMs?: number;
}

const HELP = `npm run test:faults -- [options]

Starts a core of pools, puts it under load, harms it, and holds what its user equipment saw against what was promised.

  --only PATTERN    cells of the matrix: fault/target/phase with * for anything, several with commas; or one word
                    (kill, sprout, after-180, ...). Default: all
  --rounds N        faults in each cell (default 3)
  --seed S          makes the run again as it was (default: today's date)
  --short           under three minutes: one kill of each kind of node and of one memcached
  --shows           the long runs: 40 kills of a sprout, a bono, the stores, a rolling restart, 10,000 bindings, memcached
                    scaled and replaced by the cluster manager; --only NAME for one
  --list            names the cells (with --shows: the runs) and ends
  --pools LIST      default bono=2,sprout=2,homestead=2
  --stores LIST     default memcached,cassandra; cassandra=3 for a cluster; none for embedded stores
  --transport T     udp, tcp or both (default both)
  --subscribers N   default 72
  --registers R     registrations a second (default 20)
  --calls R         calls a second (default 20)
  --out DIR         where histories, the log of the core and the results go (default: a new folder in /tmp)
  --patience MIN    with --shows: wait so many minutes at most for a machine that others take no processor time from ("stolen"), and
                    once more run what missed only times while more than 3 % were stolen; all runs are printed and kept
  --save            put table, figures and drawing into docs
`;

export type CommandLine =
  | { readonly kind: "run"; readonly options: SuiteOptions }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly text: string };

export function commandLine(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        rounds: { type: "string" },
        seed: { type: "string" },
        short: { type: "boolean" },
        shows: { type: "boolean" },
        list: { type: "boolean" },
        pools: { type: "string" },
        stores: { type: "string" },
        transport: { type: "string" },
        subscribers: { type: "string" },
        registers: { type: "string" },
        calls: { type: "string" },
        out: { type: "string" },
        patience: { type: "string" },
        save: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) return { kind: "help", text: HELP };
    const transport = values.transport ?? "both";
    if (!["udp", "tcp", "both"].includes(transport)) throw new Error("--transport is udp, tcp or both");
    return {
      kind: "run",
      options: {
        only: values.only ?? "",
        rounds: number("rounds", values.rounds, 3, 1),
        seed: number(
          "seed",
          values.seed,
          Number(new Date().toISOString().slice(0, 10).replaceAll("-", "")),
          0,
        ),
        short: values.short ?? false,
        shows: values.shows ?? false,
        list: values.list ?? false,
        pools: values.pools ?? "bono=2,sprout=2,homestead=2",
        stores: values.stores ?? "memcached,cassandra",
        transports: transport === "both" ? ["udp", "tcp"] : [transport === "udp" ? "udp" : "tcp"],
        subscribers: number("subscribers", values.subscribers, 72, 12),
        registers: number("registers", values.registers, 20, 0),
        calls: number("calls", values.calls, 20, 0),
        out: values.out ?? "",
        patienceMs: number("patience", values.patience, 0, 0) * 60_000,
        save: values.save ?? false,
      },
    };
  } catch (error) {
    return { kind: "wrong", text: error instanceof Error ? error.message : String(error) };
  }
}

function number(name: string, text: string | undefined, usual: number, least: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > 1e9)
    throw new Error(`--${name} is a whole number from ${least}`);
  return value;
}

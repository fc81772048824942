import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { checkHistory } from "../history/check.ts";
import { type History, setupTime } from "../history/operations.ts";
import type { Violation } from "../history/violation.ts";
import { SILENCE_MS } from "../load/ue.ts";
import { MOST_STOLEN } from "../machine/calm.ts";
import { type MachineFigures, MachineWatch } from "../machine/machine-watch.ts";
import { type CellFigures, figuresOf } from "../report/figures.ts";
import { auditStores } from "../run/audit-stores.ts";
import type { Bench } from "../run/bench.ts";
import { freshHistory } from "../run/run-cell.ts";
import { EtcdSite, type Machine } from "../system/etcd-site.ts";
import { atMost, type Show } from "./show.ts";

interface Times {
  /** For each exchange of the servers, ms. */
  readonly within: number;
  /** Load between two changes, ms. */
  readonly quiet: number;
  /** Arguments of the processes beside the nodes. */
  readonly args: readonly string[];
}

/** The address `by` further on in the network of another. */
function beside(host: string, by: number): string {
  const parts = host.split(".");
  return [...parts.slice(0, 3), Number(parts[3]) + by].join(".");
}

/** Two memcached become four and two again; one is killed and replaced; an etcd dies meanwhile. All under load. */
async function run(
  { core, load, folder }: Bench,
  say: (line: string) => void,
  { within, quiet, args }: Times,
): Promise<CellFigures> {
  const [first, second] = core.pool("memcached");
  if (first === undefined || second === undefined) throw new Error("two memcached are needed to begin with");
  const site = await EtcdSite.start(folder, args);
  try {
    const machines = new Map<string, Machine>();
    const serve = (number: number, host: string): void => {
      const name = `memcached-${number}`;
      machines.set(name, site.machine("memcached", name, host));
    };
    serve(1, first.host);
    serve(2, second.host);
    for (const { name, host } of core.pool("sprout"))
      site.machine("sprout", name, host, [
        ...["--memcached-file", join(folder, "state/memcached.json")],
        ...["--metrics-url", `http://${host}:9102/metrics`],
      ]);
    const [three, four, five] = [beside(first.host, 2), beside(first.host, 3), beside(first.host, 4)];
    let began = performance.now();
    const become = async (what: string, ...hosts: string[]): Promise<void> => {
      await site.inForce(hosts, within);
      const seconds = (performance.now() - began) / 1000;
      say(`  ${what}: in force after ${seconds.toFixed(1)} s; ${procedures()}`);
    };
    await become("two servers", first.host, second.host);

    const initially = await freshHistory(load);
    const { history } = load.world;
    const watch = new MachineWatch();
    load.start();
    await delay(quiet);

    began = performance.now();
    for (const [number, host] of [
      [3, three],
      [4, four],
    ] as const) {
      await site.memcached(host);
      serve(number, host);
    }
    await become("two more", first.host, second.host, three, four);
    await delay(quiet);

    began = performance.now();
    await (await site.etcd.leader()).kill();
    say("  the leader of etcd is killed");
    await Promise.all(["memcached-3", "memcached-4"].map((name) => machines.get(name)?.leave()));
    await become("two leave", first.host, second.host);
    await delay(quiet);

    began = performance.now();
    core.signal(second, "SIGKILL");
    machines.get("memcached-2")?.kill();
    say(`  ${second.name} is killed`);
    await site.memcached(five);
    serve(5, five);
    await become("another one in its place", first.host, five);
    await delay(quiet);

    await load.pause();
    await load.audit();
    const machine = watch.end();
    const servers = [first.host, five].map((host) => `${host}:11211`).join(",");
    const violations = [
      // No fault excuses anything here.
      ...checkHistory(history, [], initially),
      ...(await auditStores(core, load.world.told, folder, servers)),
      // A machine that has no processor for it makes any core slow.
      ...(isDisturbed(machine) ? [] : atMost("slowest procedure", slowestOf(history), SILENCE_MS)),
    ];
    return figuresOf("scale/memcached/2-4-2-replace", history, [], violations, machine);

    function procedures(): string {
      const { registers, calls } = load.world.history;
      return `${registers.length} registrations, ${calls.length} calls`;
    }
  } finally {
    await site.stop();
  }
}

/** Timers of the load were late by more than this, ms: so was everything else. */
const MOST_LATE_MS = 250;

function isDisturbed({ stolen, lag }: MachineFigures): boolean {
  return stolen > MOST_STOLEN || lag.worst > MOST_LATE_MS;
}

/** ms */
function slowestOf({ registers, calls }: History): number {
  const ended = calls.map(({ times: { byeSent = 0, byeAnswered = byeSent } }) => byeAnswered - byeSent);
  const begun = calls.map((one) => setupTime(one) ?? 0);
  return Math.max(0, ...registers.map(({ slowest }) => slowest), ...begun, ...ended);
}

function limits({ failed }: CellFigures): Violation[] {
  if (failed === 0) return [];
  return [{ rule: "too little done", subject: "scale/memcached", what: `${failed} procedures failed` }];
}

const OPTIONS = { stores: "memcached=2,cassandra" };

/** 64*T1, RFC 3261 timers B and F: no edge node is harmed, so no UE has a reason to look for another one. */
const TIMER_F_MS = 32_000;

/** With the times that are usual for the process. */
export const MEMCACHED_CLUSTER: Show = {
  name: "memcached-cluster",
  options: OPTIONS,
  run: (bench, say) => run(bench, say, { within: 180_000, quiet: 10_000, args: [] }),
  limits,
};

export const MEMCACHED_CLUSTER_SHORT: Show = {
  name: "memcached-cluster-short",
  options: {
    ...OPTIONS,
    ...{ pools: "bono=1,sprout=2,homestead=1", registers: 5, calls: 5, subscribers: 36 },
    silenceMs: TIMER_F_MS,
  },
  run: (bench, say) =>
    run(bench, say, {
      ...{ within: 90_000, quiet: 1000 },
      args: ["--batch-seconds", "1", "--fail-after-seconds", "2"],
    }),
  limits,
};

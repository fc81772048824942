import { setTimeout as delay } from "node:timers/promises";
import type { RunningSipp, SippStats } from "../support/sipp.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { watchHeaps } from "./heap.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "./load.ts";
import { memoryOf } from "./proc.ts";
import { saveJson } from "./report.ts";
import { type SystemUnderTest, startOurs } from "./system.ts";
import { usersOf } from "./users.ts";

const REGISTRATIONS_PER_SECOND = 50;
const CALLS_PER_SECOND = 20;
const PAIRS = 500;
/** Half of them renew their registration, half register and leave again: the number of registered UEs stays the same. */
const REGISTERING = 1500;
const SAMPLE_S = 10;
/** Caches and compiled code settle first; growth is counted from here. */
const SETTLED_AFTER_S = 60;

export type SoakOptions = {
  readonly seconds: number;
  /** More arguments for `tidewater up`. */
  readonly up: readonly string[];
  readonly say: (line: string) => void;
  /** The core is in it while it runs, for whoever has to end it early. */
  readonly running: Set<SystemUnderTest>;
};

type Sample = {
  readonly second: number;
  readonly registrations: number;
  readonly calls: number;
  readonly failed: number;
  readonly rssMb: Readonly<Record<string, number>>;
  /** The least heap in use in these seconds. */
  readonly heapMb: Readonly<Record<string, number>>;
};

/** Steady load on our core; prints a line every 10 s. Exit code 1 when anything failed. */
export async function runSoak({ seconds, up, say, running: systems }: SoakOptions): Promise<number> {
  const [callers, callees, others] = [usersOf("a", PAIRS), usersOf("b", PAIRS), usersOf("c", REGISTERING)];
  const system = await startOurs([...callers, ...callees, ...others], { args: up });
  systems.add(system);
  const running: RunningSipp[] = [];
  const heaps = watchHeaps(system.target.split(":")[0] ?? "");
  try {
    const first = await startRegistrations({ system, users: callers, role: "caller", rate: 100 }).done;
    const second = await startRegistrations({ system, users: callees, role: "callee", rate: 100 }).done;
    if (first.exitCode !== 0 || second.exitCode !== 0)
      throw new Error(`the UEs could not register: ${(first.errors || second.errors).slice(0, 800)}`);
    const answering = startCallees(callees, (seconds + 120) * 1000);
    running.push(answering);
    await delay(500);
    const routes = serviceRoutes(first);
    const calls = startCalls({
      system,
      callers,
      callees,
      routes,
      rate: CALLS_PER_SECOND,
      count: CALLS_PER_SECOND * seconds,
    });
    const halfRate = REGISTRATIONS_PER_SECOND / 2;
    const registering = (["renew", "visit"] as const).map((behaviour, half) =>
      startRegistrations({
        system,
        users: others.slice((half * REGISTERING) / 2, ((half + 1) * REGISTERING) / 2),
        role: half === 0 ? "caller" : "visitor",
        rate: halfRate,
        count: halfRate * seconds,
        behaviour,
      }),
    );
    running.push(calls, ...registering);
    const samples: Sample[] = [];
    const resident = (): Record<string, number> =>
      Object.fromEntries(
        [...system.parts].map(([part, pid]) => [part, Math.round(memoryOf(pid).rssKb / 102.4) / 10]),
      );
    /** What is resident when nothing waits for the collector. */
    const inUse = async (): Promise<Record<string, number>> => {
      await collectGarbage(system.parts.values());
      return resident();
    };
    let settledMb: Record<string, number> | undefined;
    let lastMb: Record<string, number> | undefined;
    for (let second = SAMPLE_S; second <= seconds; second += SAMPLE_S) {
      await delay(SAMPLE_S * 1000);
      const [called, registered] = [calls.stats(), registering.map((one) => one.stats())];
      const rssMb = resident();
      const sample = {
        second,
        registrations: total(registered, "successful"),
        calls: called.successful,
        failed: called.failed + total(registered, "failed"),
        rssMb,
        heapMb: heaps.leastMb(),
      };
      samples.push(sample);
      if (second === SETTLED_AFTER_S) settledMb = await inUse();
      else if (second + SAMPLE_S > seconds) lastMb = await inUse();
      const memory = Object.entries(rssMb).map(
        // Nodes that share a process share its heap.
        ([part, mb]) => `${part} ${mb} (${sample.heapMb[part.split("+")[0] ?? part] ?? "?"})`,
      );
      say(
        `${second} s: ${sample.registrations} registrations, ${sample.calls} calls, ${sample.failed} failed; MB resident (heap): ${memory.join(", ")}`,
      );
    }
    const called = await calls.done;
    const ended = await Promise.all(registering.map((one) => one.done));
    const registered = ended.map(({ stats }) => stats);
    const failed = called.stats.failed + total(registered, "failed");
    const growth =
      settledMb === undefined || lastMb === undefined
        ? "too short to tell"
        : Object.entries(lastMb)
            .map(([part, mb]) => `${part} ${settledMb?.[part]} -> ${mb} MB`)
            .join(", ");
    console.log(
      `${total(registered, "successful")} registrations and ${called.stats.successful} calls in ${seconds} s, ${failed} failed, ` +
        `${called.stats.retransmissions + total(registered, "retransmissions")} retransmissions by UEs\n` +
        `resident memory after a collection, at second ${SETTLED_AFTER_S} and at the end: ${growth}`,
    );
    if (failed > 0) console.log([called, ...ended].map(({ errors }) => errors.slice(0, 1500)).join(""));
    say(`figures in ${saveJson("soak", { seconds, samples, settledMb, lastMb, failed })}`);
    return failed === 0 ? 0 : 1;
  } finally {
    heaps.stop();
    for (const one of running) await one.finish(1000);
    await system.stop();
    systems.delete(system);
  }
}

function total(stats: readonly SippStats[], counter: keyof SippStats): number {
  return stats.reduce((sum, one) => sum + one[counter], 0);
}

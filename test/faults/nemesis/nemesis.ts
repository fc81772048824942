import { setTimeout as delay } from "node:timers/promises";
import type { FaultRecord } from "../history/calls.ts";
import type { Random } from "../random.ts";
import type { Core, Member } from "../system/core.ts";
import type { Network } from "../system/namespaces.ts";
import type { FaultKind, Target } from "./cells.ts";

/** How long each fault lasts before it is healed, ms. A killed process is missed for a while before it is started again. */
const LASTS_MS: Readonly<Record<FaultKind, number>> = {
  kill: 2_500,
  pause: 1_000,
  freeze: 5_000,
  partition: 5_000,
  restart: 0,
};
/** Procedures that begin so soon after a fault are near it, ms. */
export const NEAR_MS = 2_500;

export interface NemesisModules {
  readonly core: Core;
  /** Where every member is in a namespace of its own; needed for partitions. */
  readonly network: Network | undefined;
  readonly random: Random;
  readonly now: () => number;
}

/** Does harm to one member of a pool, or to all. */
export class Nemesis {
  readonly #modules: NemesisModules;

  constructor(modules: NemesisModules) {
    this.#modules = modules;
  }

  /** The victims of a target; of the edge nodes rather one of those named. */
  victims(target: Target, preferred: readonly string[] = []): Member[] {
    const { core, random } = this.#modules;
    const pool = core.pool(target.replace(/-all$/, ""));
    if (target.endsWith("-all")) return pool;
    const named = pool.filter(({ name }) => preferred.includes(name));
    return [random.pick(named.length > 0 ? named : pool)];
  }

  /** Strikes at once (synchronously, but for a restart) and gives what follows: the heal, in its own time. */
  strike(
    fault: FaultKind,
    target: Target,
    victims: readonly Member[],
    lasts: number = LASTS_MS[fault],
  ): { record: FaultRecord; healed: Promise<void> } {
    const { core, now } = this.#modules;
    const record: FaultRecord = { fault, target, members: victims.map(({ name }) => name), at: now() };
    this.#begin(fault, victims);
    const heal = async (): Promise<void> => {
      await delay(lasts);
      if (fault === "restart") await Promise.all(victims.map((victim) => core.end(victim)));
      if (fault === "pause" || fault === "freeze")
        for (const victim of victims) core.signal(victim, "SIGCONT");
      if (fault === "partition") this.#cuts(victims, "heal");
      record.healed = now();
      // Members of a ring join one after the other; whoever needs the others to start is started with them.
      await Promise.all(victims.map((victim) => core.startAgain(victim)));
      record.ready = now();
    };
    return { record, healed: heal() };
  }

  #begin(fault: FaultKind, victims: readonly Member[]): void {
    const { core } = this.#modules;
    if (fault === "kill") for (const victim of victims) core.signal(victim, "SIGKILL");
    if (fault === "pause" || fault === "freeze") for (const victim of victims) core.signal(victim, "SIGSTOP");
    if (fault === "partition") this.#cuts(victims, "cut");
  }

  /** Between the victims and everybody else in the core. */
  #cuts(victims: readonly Member[], what: "cut" | "heal"): void {
    const { core, network } = this.#modules;
    if (network === undefined) throw new Error("a partition needs network namespaces");
    for (const victim of victims)
      for (const other of core.members) if (!victims.includes(other)) network[what](victim.name, other.name);
  }
}

/** Moves every process of the core to a network namespace of its own: they end and start again there. */
export async function distribute(core: Core, network: Network): Promise<void> {
  const order = ["cassandra", "memcached", "homestead", "sprout", "bono"];
  const sorted = core.members.toSorted((a, b) => order.indexOf(a.pool) - order.indexOf(b.pool));
  for (const member of sorted.toReversed()) await core.end(member);
  network.bridge();
  for (const { name, host } of sorted) core.namespaces.set(name, network.add(name, host));
  for (const member of sorted) await core.startAgain(member);
}

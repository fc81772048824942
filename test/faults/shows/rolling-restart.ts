import { setTimeout as delay } from "node:timers/promises";
import type { FaultRecord } from "../history/calls.ts";
import { checkHistory } from "../history/check.ts";
import { MachineWatch } from "../machine/machine-watch.ts";
import { figuresOf } from "../report/figures.ts";
import { auditStores } from "../run/audit-stores.ts";
import { freshHistory } from "../run/run-cell.ts";
import { atLeast, type Show } from "./show.ts";

const PROCEDURES = 5_000;

/** Every node in turn ends by SIGTERM and starts again, over and over, until so many procedures were done. */
export const ROLLING_RESTART: Show = {
  name: "rolling-restart",
  options: {},
  run: async ({ core, load, nemesis, folder }, say) => {
    const initially = await freshHistory(load);
    const { history } = load.world;
    const faults: FaultRecord[] = [];
    const watch = new MachineWatch();
    const nodes = ["homestead", "sprout", "bono"].flatMap((pool) => core.pool(pool));
    load.start();
    await delay(2_000);
    for (let round = 0; faults.length < nodes.length || procedures() < PROCEDURES; round++) {
      const member = nodes[round % nodes.length];
      if (member === undefined) break;
      const target = member.pool === "sprout" || member.pool === "bono" ? member.pool : "homestead";
      const { record, healed } = nemesis.strike("restart", target, [member]);
      faults.push(record);
      await healed;
      say(
        `  ${member.name} restarted in ${Math.round((record.ready ?? 0) - record.at)} ms; ${procedures()} procedures`,
      );
      await delay(2_000);
    }
    await load.pause();
    await load.audit();
    const machine = watch.end();
    const violations = [
      ...checkHistory(history, faults, initially),
      ...(await auditStores(core, load.world.told, folder)),
    ];
    return figuresOf("restart/all/rolling-restart", history, faults, violations, machine);

    function procedures(): number {
      const { registers, calls } = history;
      return registers.length + calls.length + calls.filter(({ byeStatus }) => byeStatus !== 0).length;
    }
  },
  limits: ({ registrations, calls }) =>
    atLeast("registrations, calls and their ends", registrations + 2 * calls, PROCEDURES),
};

import { type CoreAlarm, type CoreAlarms, coreAlarmSchema } from "@ims/api";
import type { Clock } from "@ims/runtime";
import { z } from "zod";
import type { CoreWatch } from "./core-watch.ts";
import type { NodeClient } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";

const GOOD_MS = 1_500;
/** Of all nodes together: what is shown. */
const MOST_ACTIVE = 1_000;
const MOST_CLEARED = 200;

const record = z.object(coreAlarmSchema.omit({ node: true }).shape);
const list = z.object({ active: z.array(record).max(1_000), cleared: z.array(record).max(1_000) });

const ORDER = ["CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE", "CLEARED"];

/** The alarm lists of all nodes as one. */
export function coreAlarms({
  watch,
  client,
  shared,
  clock,
}: {
  readonly watch: CoreWatch;
  readonly client: NodeClient;
  readonly shared: SharedAnswers;
  readonly clock: Clock;
}): Promise<CoreAlarms> {
  return shared.get("alarms", GOOD_MS, async () => {
    const { nodes, problems: away } = watch.reachable();
    const problems = [...away];
    const active: CoreAlarm[] = [];
    const cleared: CoreAlarm[] = [];
    await Promise.all(
      nodes.map(async (node) => {
        const said = await client.json(node.url, "/alarms");
        const read = list.safeParse(said.kind === "json" ? said.json : undefined);
        if (said.kind === "none" && said.status === 0) watch.told(node, false);
        if (!read.success) {
          const problem = said.kind === "none" ? said.problem : "its alarm list cannot be read";
          problems.push(`${node.name}: ${problem}`);
          return;
        }
        active.push(...read.data.active.map((one) => ({ node: node.name, ...one })));
        cleared.push(...read.data.cleared.map((one) => ({ node: node.name, ...one })));
      }),
    );
    active.sort(
      (a, b) =>
        ORDER.indexOf(a.perceivedSeverity) - ORDER.indexOf(b.perceivedSeverity) ||
        a.alarmRaisedTime.localeCompare(b.alarmRaisedTime),
    );
    cleared.sort((a, b) => (b.alarmClearedTime ?? "").localeCompare(a.alarmClearedTime ?? ""));
    return {
      time: new Date(clock.now()).toISOString(),
      active: active.slice(0, MOST_ACTIVE),
      cleared: cleared.slice(0, MOST_CLEARED),
      problems,
    };
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  alarmList,
  alarmWatcher,
  metricsRegister,
  registerAlarmMetrics,
  runtimeProblems,
} from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";

const { fileRefused, diskNearlyFull } = runtimeProblems;

test("every change of an alarm is a line of the log with the id of its problem, and what to do", async () => {
  const clock = fakeClock();
  const log = memoryLogger("warn");
  const alarms = alarmList({ now: () => clock.now() });
  const watcher = alarmWatcher(alarms, { clock, log });
  let problem: string | undefined;
  alarms.watch(fileRefused, () => problem);
  await watcher.start();
  problem = "routes.json is not JSON";
  await clock.advanceAsync(1_000);
  await clock.advanceAsync(5_000);
  alarms.raise(diskNearlyFull, { object: "/state", text: "9 % free" });
  alarms.raise(diskNearlyFull, { object: "/state", severity: "CRITICAL", text: "1 % free" });
  problem = undefined;
  await clock.advanceAsync(1_000);
  alarms.resend();
  await watcher.stop();
  alarms.raise(fileRefused, { text: "nobody listens any more" });
  const lines = log.lines.map(({ level, problemId, alarm, severity, objectInstance }) =>
    [level, problemId, alarm, severity, objectInstance ?? ""].join(" ").trim(),
  );
  assert.deepEqual(lines, [
    "error TW-1005 raised MAJOR",
    "warn TW-1009 raised WARNING /state",
    "error TW-1009 changed CRITICAL /state",
    "warn TW-1005 cleared CLEARED",
    "error TW-1009 resent CRITICAL /state",
  ]);
  const { additionalText, cause, effect, action } = log.lines[0] ?? {};
  assert.deepEqual(
    { additionalText, cause, effect, action },
    {
      additionalText: "routes.json is not JSON",
      cause: fileRefused.cause,
      effect: fileRefused.effect,
      action: fileRefused.action,
    },
  );
});

test("the gauge of alarms has every problem that could be, by its severity now", async () => {
  const register = metricsRegister();
  const alarms = alarmList();
  registerAlarmMetrics(register, alarms);
  alarms.watch(fileRefused, () => undefined);
  alarms.raise(diskNearlyFull, { object: "/a", severity: "CRITICAL", text: "1 %" });
  alarms.raise(diskNearlyFull, { object: "/b", severity: "CRITICAL", text: "1 %" });
  const lines = (await register.scrape()).split("\n").filter((line) => line.startsWith("ims_alarms"));
  assert.deepEqual(lines, [
    'ims_alarms_active{problem="TW-1005",name="file-refused",severity="major"} 0',
    'ims_alarms_active{problem="TW-1009",name="disk-nearly-full",severity="warning"} 0',
    'ims_alarms_active{problem="TW-1009",name="disk-nearly-full",severity="critical"} 2',
    "ims_alarms_dropped_total 0",
  ]);
});

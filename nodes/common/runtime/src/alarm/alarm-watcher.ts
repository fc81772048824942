import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Service } from "../service.ts";
import type { Alarm } from "./alarm.ts";
import type { AlarmChange, AlarmList } from "./alarm-list.ts";

/** A condition shorter than this may go unseen. */
const EVERY_MS = 1_000;

/** Looks at the conditions of alarms once a second, and writes what changes to the log. */
export function alarmWatcher(
  alarms: AlarmList,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Service {
  let timer: Timer | undefined;
  let end: () => void = () => undefined;

  function look(): void {
    alarms.look();
    timer = clock.setTimer(EVERY_MS, look);
  }

  return {
    start() {
      end = alarms.onChange((change, alarm) => write(log, change, alarm));
      look();
      return Promise.resolve();
    },
    quiesce: () => Promise.resolve(),
    stop() {
      timer?.cancel();
      end();
      return Promise.resolve();
    },
  };
}

/** What ends is as important as what begins: both at a level that is hardly ever switched off. */
function write(log: Logger, change: AlarmChange, alarm: Alarm): void {
  const { problem, objectInstance, perceivedSeverity, additionalText, alarmId } = alarm;
  const fields = {
    problemId: problem.id,
    alarm: change,
    alarmId,
    ...(objectInstance === "" ? {} : { objectInstance }),
    severity: change === "cleared" ? "CLEARED" : perceivedSeverity,
    additionalText,
    ...(change === "raised" ? { cause: problem.cause, effect: problem.effect, action: problem.action } : {}),
  };
  const text = `${problem.summary}: alarm ${change}`;
  const grave = perceivedSeverity === "CRITICAL" || perceivedSeverity === "MAJOR";
  if (grave && change !== "cleared") log.error(fields, text);
  else log.warn(fields, text);
}

import type { Alarm } from "./alarm.ts";
import { type Problem, SEVERITIES, type Severity } from "./problem.ts";

/** What a condition says while something is wrong: a text about the node itself, or what is wrong with which of its objects. */
export type Condition = () => string | Trouble | readonly Trouble[] | undefined;

export interface Trouble {
  /** A peer, a file, a server; default: the node itself. */
  readonly object?: string;
  /** Default: that of the problem. */
  readonly severity?: Severity;
  readonly text: string;
}

/** What happened to an alarm. */
export type AlarmChange = "raised" | "changed" | "cleared" | "resent";
export type AlarmListener = (change: AlarmChange, alarm: Alarm) => void;

/** The alarms of one process. */
export interface AlarmList {
  /** Says that something is wrong; an alarm that is there already keeps its id, and takes the text and the severity. */
  raise(problem: Problem, trouble: Trouble): void;
  /** It is well again. Harmless when there is no such alarm. */
  clear(problem: Problem, object?: string): void;
  /**
   * Raises and clears as `condition` says whenever it is looked at: on `look`, about once a second. It must be cheap; one that
   * throws is an alarm of indeterminate severity. Returns what ends that, and clears what it had raised. Several conditions of
   * one problem are about different objects.
   */
  watch(problem: Problem, condition: Condition): () => void;
  /** Asks all conditions. */
  look(): void;
  /** As they are now, the oldest first. */
  active(): readonly Alarm[];
  /** The last that were cleared, the latest first. */
  cleared(): readonly Alarm[];
  /** Alarms that could be: problems that were watched or raised here. */
  readonly problems: readonly Problem[];
  /** How often one was not taken because the list was full. */
  readonly dropped: number;
  /** How often `resend` was called. */
  readonly resends: number;
  /** Told of every change; the function returned ends that. */
  onChange(listener: AlarmListener): () => void;
  /** Tells listeners of every active alarm again (3GPP TS 32.111-2: for whoever may have missed some). Returns how many. */
  resend(): number;
}

export interface AlarmListOptions {
  /** Epoch ms. Default: the system's. */
  readonly now?: () => number;
  /** Are conditions looked at now? Default: always. What a node that starts or stops says of its peers is no alarm. */
  readonly looks?: () => boolean;
  /** Alarms at a time. Default 1,000: a list that nobody could read is no list. */
  readonly maxActive?: number;
  /** Cleared ones remembered. Default 100. */
  readonly maxCleared?: number;
}

/** Longest text of an alarm; it may quote what came over the wire. */
const MAX_TEXT = 500;
const MAX_OBJECT = 200;

interface Watch {
  readonly problem: Problem;
  readonly condition: Condition;
  /** Objects that it has raised an alarm for. */
  raised: ReadonlySet<string>;
}

export function alarmList(options: AlarmListOptions = {}): AlarmList {
  const { now = Date.now, looks = () => true, maxActive = 1_000, maxCleared = 100 } = options;
  const active = new Map<string, Alarm>();
  const cleared: Alarm[] = [];
  const problems = new Map<string, Problem>();
  const watches = new Set<Watch>();
  const listeners = new Set<AlarmListener>();
  let count = 0;
  let dropped = 0;
  let resends = 0;

  function tell(change: AlarmChange, alarm: Alarm): void {
    for (const listener of [...listeners]) listener(change, alarm);
  }

  function raise(problem: Problem, trouble: Trouble): void {
    problems.set(problem.id, problem);
    const objectInstance = printable(trouble.object ?? "", MAX_OBJECT);
    const key = keyOf(problem, objectInstance);
    const perceivedSeverity = trouble.severity ?? problem.severity;
    const additionalText = printable(trouble.text, MAX_TEXT);
    const before = active.get(key);
    if (before === undefined) {
      if (active.size >= maxActive) {
        dropped++;
        return;
      }
      const alarm = {
        alarmId: ++count,
        ...{ problem, objectInstance, perceivedSeverity, additionalText },
        alarmRaisedTime: now(),
      };
      active.set(key, alarm);
      return tell("raised", alarm);
    }
    const changed = before.perceivedSeverity !== perceivedSeverity;
    if (!changed && before.additionalText === additionalText) return;
    const alarm = {
      ...before,
      ...{ perceivedSeverity, additionalText },
      ...(changed ? { alarmChangedTime: now() } : {}),
    };
    active.set(key, alarm);
    // A text that counts something changes all the time: no news.
    if (changed) tell("changed", alarm);
  }

  function clear(problem: Problem, object = ""): void {
    const key = keyOf(problem, printable(object, MAX_OBJECT));
    const before = active.get(key);
    if (before === undefined) return;
    active.delete(key);
    const alarm = { ...before, alarmClearedTime: now() };
    cleared.unshift(alarm);
    cleared.length = Math.min(cleared.length, maxCleared);
    tell("cleared", alarm);
  }

  function ask(watch: Watch): void {
    const { problem, condition } = watch;
    const said = saidBy(condition);
    const troubles = said === undefined ? [] : typeof said === "string" ? [{ text: said }] : [said].flat();
    const wrong = new Set<string>();
    for (const trouble of troubles) {
      wrong.add(trouble.object ?? "");
      raise(problem, trouble);
    }
    for (const object of watch.raised) if (!wrong.has(object)) clear(problem, object);
    watch.raised = wrong;
  }

  function look(): void {
    if (looks()) for (const watch of [...watches]) ask(watch);
  }

  return {
    raise,
    clear,
    look,
    watch(problem, condition) {
      const watch: Watch = { problem, condition, raised: new Set() };
      problems.set(problem.id, problem);
      watches.add(watch);
      return () => {
        if (!watches.delete(watch)) return;
        for (const object of watch.raised) clear(problem, object);
      };
    },
    active() {
      look();
      return [...active.values()];
    },
    cleared: () => [...cleared],
    get problems() {
      return [...problems.values()];
    },
    get dropped() {
      return dropped;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get resends() {
      return resends;
    },
    resend() {
      resends++;
      look();
      for (const alarm of active.values()) tell("resent", alarm);
      return active.size;
    },
  };
}

function saidBy(condition: Condition): ReturnType<Condition> {
  try {
    return condition();
  } catch (error) {
    const text = `whether it is so cannot be told: ${error instanceof Error ? error.message : String(error)}`;
    return { severity: "INDETERMINATE", text };
  }
}

/** Worst first, then the oldest: as somebody wants to read them. */
export function bySeverity(a: Alarm, b: Alarm): number {
  const worse = SEVERITIES.indexOf(a.perceivedSeverity) - SEVERITIES.indexOf(b.perceivedSeverity);
  return worse !== 0 ? worse : a.alarmId - b.alarmId;
}

function keyOf({ id }: Problem, object: string): string {
  return `${id} ${object}`;
}

/** One line, not without end: it goes to terminals and logs. */
function printable(text: string, most: number): string {
  const line = text.replace(/\p{Cc}+/gu, " ");
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

import type { FaultRecord } from "../history/calls.ts";
import { lossOf } from "../history/calls.ts";
import { type History, setupTime } from "../history/operations.ts";
import type { Violation } from "../history/violation.ts";
import { type MachineFigures, UNDISTURBED } from "../machine/machine-watch.ts";
import { NEAR_MS } from "../nemesis/nemesis.ts";

/** Slower than this is not the usual way any more, ms. */
const SLOW_MS = 100;

/** What the UEs felt of one fault, ms. */
export interface FaultFigures {
  readonly members: readonly string[];
  readonly at: number;
  readonly slowestRegister: number;
  readonly slowestSetUp: number;
  readonly slowestBye: number;
  /** UEs of an edge node that is gone: time from the fault (TCP) or from noticing it (UDP) to a good answer elsewhere. */
  readonly elsewhere: readonly number[];
  /** From the fault to the last procedure begun that was slow: how long the victim was still chosen. */
  readonly chosenFor: number;
  /** A restart: from SIGTERM to ready. */
  readonly away: number | undefined;
}

export interface CellFigures {
  readonly cell: string;
  readonly faults: readonly FaultFigures[];
  readonly registrations: number;
  readonly calls: number;
  /** Procedures that failed, whether the fault excuses them or not. */
  readonly failed: number;
  readonly helped: number;
  readonly p99: number;
  /** A machine that has too much to do, or too little of its processors, spoils every time here. */
  readonly machine: MachineFigures;
  readonly violations: readonly Violation[];
}

/** A cell that could not be run. */
export function notRun(cell: string, violation: Violation): CellFigures {
  return {
    ...{ cell, faults: [], registrations: 0, calls: 0, failed: 0, helped: 0, p99: 0, machine: UNDISTURBED },
    violations: [violation],
  };
}

/** Figures of one cell. Pure. */
export function figuresOf(
  cell: string,
  history: History,
  faults: readonly FaultRecord[],
  violations: readonly Violation[],
  machine: MachineFigures = UNDISTURBED,
): CellFigures {
  const registers = history.registers.filter(({ purpose }) => purpose !== "fetch");
  const times = [
    ...registers.map(({ slowest }) => slowest),
    ...history.calls.flatMap((one) => setupTime(one) ?? []),
  ];
  return {
    cell,
    faults: faults.map((fault) => figuresOfFault(fault, history)),
    registrations: registers.length,
    calls: history.calls.length,
    failed:
      registers.filter(({ outcome }) => outcome !== "ok").length +
      history.calls.filter((one) => lossOf(one) !== undefined).length,
    helped:
      registers.filter(({ outcome, bonos }) => outcome === "ok" && bonos.length > 1).length +
      history.calls.filter((one) => lossOf(one) === undefined && one.callerBonos.length > 1).length,
    p99: quantile(times, 0.99),
    machine,
    violations,
  };
}

function figuresOfFault(fault: FaultRecord, history: History): FaultFigures {
  const near = (began: number, ended: number): boolean => began < fault.at + NEAR_MS && ended > fault.at;
  const steps: { began: number; ms: number; kind: "register" | "setUp" | "bye" }[] = [];
  for (const { purpose, began, ended, slowest } of history.registers)
    if (purpose !== "fetch" && near(began, ended)) steps.push({ began, ms: slowest, kind: "register" });
  for (const one of history.calls) {
    const { invited, answered, byeSent, byeAnswered } = one.times;
    const setUp = setupTime(one);
    if (answered !== undefined && setUp !== undefined && near(invited, answered))
      steps.push({ began: invited, ms: setUp, kind: "setUp" });
    if (byeSent !== undefined && byeAnswered !== undefined && near(byeSent, byeAnswered))
      steps.push({ began: byeSent, ms: byeAnswered - byeSent, kind: "bye" });
  }
  const slowest = (kind: "register" | "setUp" | "bye"): number =>
    Math.max(0, ...steps.filter((one) => one.kind === kind).map(({ ms }) => ms));
  const slow = steps.filter(({ ms, began }) => ms > SLOW_MS && began > fault.at);
  const elsewhere = history.moves
    .filter(({ from, noticed }) => fault.members.includes(from) && noticed >= fault.at)
    .filter(({ noticed }) => noticed < (fault.ready ?? Number.POSITIVE_INFINITY))
    .flatMap(({ transport, noticed, registered }) =>
      registered === undefined ? [] : [registered - (transport === "tcp" ? fault.at : noticed)],
    );
  return {
    members: fault.members,
    at: fault.at,
    slowestRegister: slowest("register"),
    slowestSetUp: slowest("setUp"),
    slowestBye: slowest("bye"),
    elsewhere,
    chosenFor: Math.max(0, ...slow.map(({ began }) => began - fault.at)),
    away: fault.fault === "restart" && fault.ready !== undefined ? fault.ready - fault.at : undefined,
  };
}

/** The value below which a share of the values lies; 0 without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

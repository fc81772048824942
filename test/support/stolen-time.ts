import { readFileSync } from "node:fs";

/** More than this share of stolen time may be why a test missed its time. */
export const MOST_STOLEN = 0.05;

/** Processor time of all processors since the machine began, in its own unit. */
export interface ProcessorTime {
  readonly all: number;
  /** What the host gave to other machines while this one wanted it. */
  readonly stolen: number;
}

/** /proc/stat; all zero where there is none. */
export function processorTime(read = () => readFileSync("/proc/stat", "utf8")): ProcessorTime {
  let text = "";
  try {
    text = read();
  } catch {
    // Not Linux: nothing is known of stolen time.
  }
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user and nice already.
  const times = /^cpu +(.*)$/m.exec(text)?.[1]?.split(" ").slice(0, 8).map(Number) ?? [];
  return { all: times.reduce((sum, one) => sum + one, 0), stolen: times[7] ?? 0 };
}

/** Share of the time between two moments that was stolen, 0 to 1. */
export function stolenBetween(before: ProcessorTime, after: ProcessorTime): number {
  const all = after.all - before.all;
  return all > 0 ? (after.stolen - before.stolen) / all : 0;
}

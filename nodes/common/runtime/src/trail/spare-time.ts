import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { MetricsRegister } from "../metrics/register.ts";
import type { Service } from "../service.ts";

export interface SpareTimeModules {
  readonly clock: Pick<Clock, "setTimer">;
  readonly register: MetricsRegister;
  readonly log: Logger;
  /** Part of the time in which the event loop had something to do, 0 to 1, since the last call; default: this one's. */
  readonly utilization?: () => number;
}

/** What collectors may be told of: less while those who are served need the time. */
export interface SpareTime extends Service {
  /** Which part of the registrations and calls that are sampled, 0 to 1. */
  readonly share: number;
}

const PERIOD_MS = 250;
/** Beyond that, twice in a row (a single one may be a garbage collection), less is told; below the other one more. */
const BUSY = 0.85;
const AT_EASE = 0.7;
/** Down to nothing in two seconds, back in twelve: what is cut off costs a reader less than what is refused costs a caller. */
const FALL = 0.7;
const LEAST_FALL = 0.02;
const RISE = 0.02;

/** Tracing gives way before admission control refuses anybody: whole calls are left out, with one share the same at all nodes. */
export function spareTime({ clock, register, log, utilization }: SpareTimeModules): SpareTime {
  const ask = utilization ?? ofThisLoop();
  let share = 1;
  let wasBusy = false;
  let timer: Timer | undefined;
  register.gauge({
    name: "ims_trail_told_share",
    help: "Part of the sampled registrations and calls that collectors are told of: less than 1 while the node is busy",
    value: () => share,
  });

  function look(): void {
    timer = clock.setTimer(PERIOD_MS, look);
    const busy = ask();
    const before = share;
    if (busy > BUSY && wasBusy) share = Math.max(0, share * FALL - LEAST_FALL);
    else if (busy < AT_EASE) share = Math.min(1, share + RISE);
    wasBusy = busy > BUSY;
    if (before === 1 && share < 1) log.info({ busy }, "collectors are told less: the node is busy");
    if (before < 1 && share === 1) log.info({ busy }, "collectors are told of everything again");
  }

  return {
    get share() {
      return share;
    },
    async start() {
      ask();
      timer ??= clock.setTimer(PERIOD_MS, look);
    },
    async quiesce() {},
    async stop() {
      timer?.cancel();
      timer = undefined;
    },
  };
}

function ofThisLoop(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

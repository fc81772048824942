import { statfs } from "node:fs/promises";
import type { Clock, Timer } from "../clock.ts";
import { runtimeProblems } from "../problems.ts";
import type { Service } from "../service.ts";
import type { AlarmList, Trouble } from "./alarm-list.ts";

/** Bytes of a file system, for whoever is not root. */
export interface DiskSpace {
  readonly free: number;
  readonly size: number;
}

const EVERY_MS = 30_000;

/** Alarm for a folder whose disk is nearly full. It is asked now and then, not at every look. */
export function diskWatcher(
  folder: string,
  { alarms, clock }: { readonly alarms: AlarmList; readonly clock: Clock },
  read: (folder: string) => Promise<DiskSpace> = readSpace,
): Service {
  let timer: Timer | undefined;
  let stopped = false;
  let trouble: Trouble | undefined;
  let end: () => void = () => undefined;

  async function ask(): Promise<void> {
    // A folder that is not there yet is the affair of whoever makes it.
    const space = await read(folder).catch(() => undefined);
    trouble = space === undefined ? undefined : troubleOf(folder, space);
    if (!stopped) timer = clock.setTimer(EVERY_MS, () => void ask());
  }

  return {
    async start() {
      end = alarms.watch(runtimeProblems.diskNearlyFull, () => trouble);
      await ask();
    },
    quiesce: () => Promise.resolve(),
    stop() {
      stopped = true;
      timer?.cancel();
      end();
      return Promise.resolve();
    },
  };
}

function troubleOf(folder: string, { free, size }: DiskSpace): Trouble | undefined {
  const share = size === 0 ? 1 : free / size;
  if (share >= 0.1) return undefined;
  const severity = share < 0.02 ? "CRITICAL" : share < 0.05 ? "MAJOR" : "WARNING";
  const text = `${(share * 100).toFixed(1)} % free, ${Math.round(free / 1_048_576)} MiB`;
  return { object: folder, severity, text };
}

async function readSpace(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}

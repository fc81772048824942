import { stat } from "node:fs/promises";
import type { Clock, Timer } from "../clock.ts";
import type { Service } from "../service.ts";

/** Between two looks, ms. */
const EVERY_MS = 2_000;

/** Calls `onChange` when one of these files came, changed or went. */
export function configWatcher(files: readonly string[], clock: Clock, onChange: () => void): Service {
  let timer: Timer | undefined;
  let running = false;
  let last: string | undefined;

  async function look(): Promise<void> {
    const stamps = await Promise.all(files.map(stampOf));
    const stamp = stamps.join("\n");
    const changed = last !== undefined && stamp !== last;
    last = stamp;
    if (!running) return;
    timer = clock.setTimer(EVERY_MS, () => void look());
    if (changed) onChange();
  }

  return {
    async start() {
      if (files.length === 0) return;
      running = true;
      await look();
    },
    async quiesce() {},
    async stop() {
      running = false;
      timer?.cancel();
    },
  };
}

async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "";
  }
}

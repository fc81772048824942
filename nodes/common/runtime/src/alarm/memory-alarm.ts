import { getHeapStatistics } from "node:v8";
import { runtimeProblems } from "../problems.ts";
import type { AlarmList } from "./alarm-list.ts";

export interface HeapUse {
  readonly used: number;
  readonly limit: number;
}

/** Raised at one share, cleared below a smaller one: collection makes the figure go up and down. */
const RAISE_AT = 0.9;
const CLEAR_BELOW = 0.8;

/** Alarm for a heap that is nearly full after many looks in a row: what is garbage goes away by itself. */
export function watchMemory(alarms: AlarmList, read: () => HeapUse = readHeap, looks = 30): () => void {
  let high = 0;
  let raised = false;
  return alarms.watch(runtimeProblems.memoryNearLimit, () => {
    const { used, limit } = read();
    const share = used / limit;
    high = share >= RAISE_AT ? high + 1 : 0;
    raised = raised ? share >= CLEAR_BELOW : high >= looks;
    if (!raised) return undefined;
    return `${Math.round(share * 100)} % of ${Math.round(limit / 1_048_576)} MiB are used`;
  });
}

function readHeap(): HeapUse {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}

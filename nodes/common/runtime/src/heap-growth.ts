import { setFlagsFromString } from "node:v8";

/**
 * From one full collection to the next the heap may double, as far as `--max-old-space-size` lets it. Left to itself V8 weighs the time that a collection
 * takes against the rate at which memory is used: with a million of registered subscribers it let the heap grow by a tenth, and marked half a
 * gigabyte every thirty seconds, on the thread that serves (docs/performance.md).
 */
export function letHeapGrow(): void {
  setFlagsFromString("--heap-growing-percent=100");
}

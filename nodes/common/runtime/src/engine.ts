import { setFlagsFromString } from "node:v8";

/**
 * What the engine of a node is started with by units, containers and `tidewater up`; to be given by who starts one by hand. One helper thread beside the loop. Node
 * makes four on any machine; while they mark a large heap they take the processors from the loop that they help: on two processors with a
 * million registered subscribers it got 40 % of one, for 0.6 s, and calls were refused meanwhile (ADR 44, docs/performance.md).
 */
export const ENGINE_FLAGS: readonly string[] = ["--v8-pool-size=1"];

/**
 * From one full collection to the next the heap may double, as far as `--max-old-space-size` lets it. Left to itself V8 weighs the time that a collection
 * takes against the rate at which memory is used: with a million of registered subscribers it let the heap grow by a tenth, and marked half a
 * gigabyte every thirty seconds, on the thread that serves (docs/performance.md).
 */
export function letHeapGrow(): void {
  setFlagsFromString("--heap-growing-percent=100");
}

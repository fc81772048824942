import { CounterFamily } from "../../nodes/common/runtime/src/metrics/counter-family.ts";
import { HistogramFamily } from "../../nodes/common/runtime/src/metrics/histogram-family.ts";

/** Loaded before a node (--import): its counters and histograms do nothing. What is left is the node without metrics, for comparison. */
const inc = (): void => undefined;
const observe = (): void => undefined;
Object.assign(CounterFamily.prototype, { inc, bind: () => ({ inc }) });
Object.assign(HistogramFamily.prototype, { observe, bind: () => ({ observe }) });

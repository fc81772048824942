export { type AskFields, ServerBench, type ServerBenchOptions } from "./server-bench.ts";

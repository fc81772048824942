import type { SuiteOptions } from "../command-line.ts";
import type { Violation } from "../history/violation.ts";
import type { CellFigures } from "../report/figures.ts";
import type { Bench } from "../run/bench.ts";

/** One long run and what it has to show. */
export interface Show {
  readonly name: string;
  /** What the core and the load are like, where it is not as usual. */
  readonly options: Partial<SuiteOptions>;
  run(bench: Bench, say: (line: string) => void): Promise<CellFigures>;
  /** What the figures fall short of. */
  limits(figures: CellFigures): Violation[];
}

/** A limit, as a violation when it is not kept. */
export function atMost(what: string, value: number, limit: number): Violation[] {
  if (value <= limit) return [];
  return [
    { rule: "slower than promised", subject: what, what: `${Math.round(value)} ms, promised ${limit}` },
  ];
}

export function atLeast(what: string, value: number, least: number): Violation[] {
  if (value >= least) return [];
  return [{ rule: "too little done", subject: what, what: `${value}, at least ${least} wanted` }];
}

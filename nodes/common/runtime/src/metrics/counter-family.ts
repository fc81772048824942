import { LabelSpace, type Labels, type LabelValues } from "./label-space.ts";
import type { Sample, ScrapedMetric } from "./scraped-metric.ts";

export interface CounterFamilyOptions<L extends Labels> {
  /** `ims_<node>_<what>_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: L;
}

/** One series of a family with its labels bound: a few nanoseconds an increment. */
export interface BoundCounter {
  inc(by?: number): void;
}

/** Counters for the hot path: one number per combination of label values, turned into text on scrape only. */
export class CounterFamily<L extends Labels> {
  readonly #space: LabelSpace<L>;
  readonly #counts: Float64Array;
  readonly #options: CounterFamilyOptions<L>;

  constructor(options: CounterFamilyOptions<L>) {
    this.#options = options;
    this.#space = new LabelSpace(options.labels);
    this.#counts = new Float64Array(this.#space.size);
  }

  inc(labels: LabelValues<L>, by = 1): void {
    const index = this.#space.indexOf(labels);
    this.#counts[index] = (this.#counts[index] as number) + by;
  }

  bind(labels: LabelValues<L>): BoundCounter {
    const counts = this.#counts;
    const index = this.#space.indexOf(labels);
    return {
      inc(by = 1) {
        counts[index] = (counts[index] as number) + by;
      },
    };
  }

  value(labels: LabelValues<L>): number {
    return this.#counts[this.#space.indexOf(labels)] as number;
  }

  /** Sum over all labels. */
  total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  scrape(): ScrapedMetric {
    const { name, help } = this.#options;
    return { name, help, type: "counter", values: this.#samples() };
  }

  /** Series that never counted are left out unless there are few: a rate over a missing first sample is lost. */
  #samples(): Sample[] {
    const samples: Sample[] = [];
    const few = this.#counts.length <= 64;
    this.#counts.forEach((value, index) => {
      if (value !== 0 || few) samples.push({ labels: this.#space.at(index), value });
    });
    return samples;
  }
}

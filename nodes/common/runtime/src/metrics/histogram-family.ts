import { LabelSpace, type Labels, type LabelValues } from "./label-space.ts";
import type { Sample, ScrapedMetric } from "./scraped-metric.ts";

export interface HistogramFamilyOptions<L extends Labels> {
  /** `ims_<node>_<what>_<unit>`, unit last (`seconds`, `bytes`). */
  readonly name: string;
  readonly help: string;
  readonly labels: L;
  /** Upper bounds, ascending, without infinity. */
  readonly buckets: readonly number[];
}

/** One series of a histogram with its labels bound. */
export interface BoundHistogram {
  observe(value: number): void;
}

/** Histograms for the hot path: fixed buckets, plain counts, cumulated on scrape only. */
export class HistogramFamily<L extends Labels> {
  readonly #options: HistogramFamilyOptions<L>;
  readonly #space: LabelSpace<L>;
  readonly #bounds: Float64Array;
  /** Per series: one count per bucket, then the count above the last bound. */
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  constructor(options: HistogramFamilyOptions<L>) {
    this.#options = options;
    this.#space = new LabelSpace(options.labels);
    this.#bounds = Float64Array.from(options.buckets);
    if (this.#bounds.some((bound, i) => i > 0 && bound <= (this.#bounds[i - 1] as number))) {
      throw new RangeError(`the buckets of ${options.name} must ascend`);
    }
    this.#counts = new Float64Array(this.#space.size * (this.#bounds.length + 1));
    this.#sums = new Float64Array(this.#space.size);
  }

  observe(labels: LabelValues<L>, value: number): void {
    this.#add(this.#space.indexOf(labels), value);
  }

  bind(labels: LabelValues<L>): BoundHistogram {
    const series = this.#space.indexOf(labels);
    return { observe: (value) => this.#add(series, value) };
  }

  /** Number of observations of one series. */
  count(labels: LabelValues<L>): number {
    return this.#seriesCounts(this.#space.indexOf(labels)).reduce((sum, count) => sum + count, 0);
  }

  scrape(): ScrapedMetric {
    const { name, help } = this.#options;
    const values: Sample[] = [];
    for (let series = 0; series < this.#space.size; series++) this.#samples(series, values);
    return { name, help, type: "histogram", values };
  }

  #add(series: number, value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    const at = series * (bounds.length + 1) + bucket;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sums[series] = (this.#sums[series] as number) + value;
  }

  #seriesCounts(series: number): Float64Array {
    const width = this.#bounds.length + 1;
    return this.#counts.subarray(series * width, (series + 1) * width);
  }

  #samples(series: number, into: Sample[]): void {
    const { name } = this.#options;
    const counts = this.#seriesCounts(series);
    // Most series of a large space have never counted: they cost nothing more than this look.
    if (this.#space.size > 1 && !counts.some((count) => count > 0)) return;
    const labels = this.#space.at(series);
    let cumulated = 0;
    counts.forEach((count, bucket) => {
      cumulated += count;
      const le = bucket < this.#bounds.length ? String(this.#bounds[bucket]) : "+Inf";
      into.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: cumulated });
    });
    into.push({ metricName: `${name}_sum`, labels, value: this.#sums[series] as number });
    into.push({ metricName: `${name}_count`, labels, value: cumulated });
  }
}

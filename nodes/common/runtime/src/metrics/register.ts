import { type Metric, Registry } from "prom-client";
import { CounterFamily, type CounterFamilyOptions } from "./counter-family.ts";
import { HistogramFamily, type HistogramFamilyOptions } from "./histogram-family.ts";
import type { Labels } from "./label-space.ts";
import type { ScrapedMetric } from "./scraped-metric.ts";

export interface GaugeOptions {
  readonly name: string;
  readonly help: string;
  /** Called on scrape. */
  readonly value: () => number;
  /** "counter" for a number that something else counts and that never falls. */
  readonly type?: "gauge" | "counter";
}

/** The metrics of one process. Names are unique; a second metric of a name throws. */
export interface MetricsRegister {
  counter<const L extends Labels>(options: CounterFamilyOptions<L>): CounterFamily<L>;
  histogram<const L extends Labels>(options: HistogramFamilyOptions<L>): HistogramFamily<L>;
  gauge(options: GaugeOptions): void;
  /** The registry below, for prom-client's own metrics. */
  readonly registry: Registry;
  /** The text that Prometheus scrapes. */
  scrape(): Promise<string>;
  readonly contentType: string;
}

export function metricsRegister(): MetricsRegister {
  const registry = new Registry();

  function add(name: string, scrape: () => ScrapedMetric): void {
    // A registry asks a metric for its name and get() and for nothing else.
    registry.registerMetric({ name, get: async () => scrape() } as unknown as Metric);
  }

  return {
    registry,
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    counter(options) {
      const family = new CounterFamily(options);
      add(options.name, () => family.scrape());
      return family;
    },
    histogram(options) {
      const family = new HistogramFamily(options);
      add(options.name, () => family.scrape());
      return family;
    },
    gauge({ name, help, value, type = "gauge" }) {
      add(name, () => ({ name, help, type, values: [{ labels: {}, value: value() }] }));
    },
  };
}

import { hostname } from "node:os";
import { FileSeries, JsonLinesFiles, makeFolder, RecordStream, type ServiceModules } from "@ims/runtime";
import { SproutError } from "../errors.ts";
import type { SproutOptions } from "../options.ts";
import { sproutProblems } from "../problems.ts";
import type { AnalyticsEvent } from "./analytics-event.ts";
import { ScscfAnalytics } from "./scscf-analytics.ts";

export interface Analytics {
  readonly observer: ScscfAnalytics;
  start(): void;
  stop(): Promise<void>;
}

/** The analytics stream of one sprout, to files; undefined when nobody asks for it. Throws SPROUT_ANALYTICS for a directory that will not do. */
export function createAnalytics(
  options: SproutOptions,
  memberName: string | undefined,
  { clock, log, register, health }: ServiceModules,
): Analytics | undefined {
  const folder = options.analyticsDir;
  if (folder === "") return undefined;
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new SproutError(
      { code: "SPROUT_ANALYTICS", folder },
      { message: `--analytics-dir ${folder}: it cannot be made or written to`, cause },
    );
  }
  const name = memberName ?? (options.diameterHost || hostname());
  const files = new FileSeries(
    {
      folder,
      prefix: `analytics-${name.replace(/[^A-Za-z0-9.-]/g, "_").slice(0, 64)}`,
      maxBytes: options.analyticsMaxMegabytes * 1_000_000,
      maxSeconds: options.analyticsMaxSeconds,
      maxFiles: options.analyticsMaxFiles,
    },
    clock,
  );
  const stream = new RecordStream<AnalyticsEvent>(
    {
      what: "analytics events",
      metricsPrefix: "ims_sprout_analytics_events",
      maxQueued: options.analyticsQueue,
      problemId: sproutProblems.analyticsNotWritten.id,
    },
    { sink: new JsonLinesFiles(files), clock, log, register },
  );
  health.addNote("analytics", () => stream.problem, sproutProblems.analyticsNotWritten);
  const nodeAddress = memberName ?? options.host;
  return {
    observer: new ScscfAnalytics({ clock, nodeAddress, offer: (event) => stream.offer(event) }),
    start: () => stream.start(),
    stop: () => stream.stop(),
  };
}

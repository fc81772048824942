import { hostname } from "node:os";
import { FileSeries, JsonLinesFiles, makeFolder, RecordStream, type ServiceModules } from "@ims/runtime";
import { SproutError } from "../errors.ts";
import type { SproutOptions } from "../options.ts";
import { sproutProblems } from "../problems.ts";
import type { AnalyticsEvent } from "./analytics-event.ts";
import { kafkaClient } from "./kafka-client.ts";
import { KafkaSink } from "./kafka-sink.ts";
import { ScscfAnalytics } from "./scscf-analytics.ts";

export interface Analytics {
  readonly observer: ScscfAnalytics;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A way that events go: files, Kafka. */
interface Way {
  readonly stream: RecordStream<AnalyticsEvent>;
  prepare?(): Promise<void>;
  close?(): Promise<void>;
}

/** The analytics stream of one sprout, to files, to Kafka or to both; undefined when nobody asks for it. Throws SPROUT_ANALYTICS for a directory that will not do. */
export function createAnalytics(
  options: SproutOptions,
  memberName: string | undefined,
  modules: ServiceModules,
): Analytics | undefined {
  const name = (memberName ?? (options.diameterHost || hostname()))
    .replace(/[^A-Za-z0-9.-]/g, "_")
    .slice(0, 64);
  const ways = [toFiles(options, name, modules), toKafka(options, name, modules)].filter(
    (way) => way !== undefined,
  );
  if (ways.length === 0) return undefined;
  const { clock } = modules;
  return {
    observer: new ScscfAnalytics({
      clock,
      nodeAddress: memberName ?? options.host,
      offer(event) {
        for (const { stream } of ways) stream.offer(event);
      },
    }),
    async start() {
      for (const { prepare, stream } of ways) {
        await prepare?.();
        stream.start();
      }
    },
    async stop() {
      await Promise.all(
        ways.map(async ({ stream, close }) => {
          await stream.stop();
          await close?.();
        }),
      );
    },
  };
}

function toFiles(options: SproutOptions, name: string, modules: ServiceModules): Way | undefined {
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
  const { clock, log, register, health } = modules;
  const files = new FileSeries(
    {
      folder,
      prefix: `analytics-${name}`,
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
  return { stream };
}

function toKafka(options: SproutOptions, name: string, modules: ServiceModules): Way | undefined {
  const { analyticsKafka: brokers, analyticsKafkaTopic: topic, analyticsKafkaUser: user } = options;
  if (brokers.length === 0) return undefined;
  const { clock, log, register, health } = modules;
  const { analyticsKafkaMechanism: mechanism, analyticsKafkaPasswordFile: passwordFile } = options;
  const sink = new KafkaSink<AnalyticsEvent>({
    clock,
    connect: () =>
      kafkaClient({
        brokers,
        topic,
        clientId: `tidewater-${name}`,
        ...(options.analyticsKafkaTls ? { tls: { caFile: options.analyticsKafkaCaFile } } : {}),
        ...(user === "" ? {} : { sasl: { mechanism, user, passwordFile } }),
      }),
    // What belongs to a call, or to a registration, stays in its order: it has the same partition.
    messageOf: (event) => ({
      key: event.callId ?? event.impu ?? event.id,
      value: JSON.stringify(event),
    }),
  });
  const stream = new RecordStream<AnalyticsEvent>(
    {
      what: "analytics events for Kafka",
      metricsPrefix: "ims_sprout_analytics_kafka_events",
      maxQueued: options.analyticsQueue,
      problemId: sproutProblems.analyticsNotPublished.id,
    },
    { sink, clock, log, register },
  );
  health.addNote("analytics-kafka", () => stream.problem, sproutProblems.analyticsNotPublished);
  return {
    stream,
    // Before there are calls: its client takes a moment to load. What is wrong with its files is told by the stream.
    prepare: () => sink.start().catch(() => undefined),
    // A stream that was not done in time leaves it open.
    close: () => sink.stop(),
  };
}

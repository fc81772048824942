import type { Clock, Timer } from "../../clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { MetricsRegister } from "../../metrics/register.ts";
import type { Service } from "../../service.ts";
import { VERSION } from "../../version.ts";
import { samplingOf } from "../sampling.ts";
import type { SpareTime } from "../spare-time.ts";
import { TokenBucket } from "../token-bucket.ts";
import type { Trail } from "../trail.ts";
import { otlpRequest, type Span } from "./span.ts";
import { SpanBuilder } from "./span-builder.ts";

export interface OtlpExportOptions {
  /** Of the collector: http://host:4318/v1/traces. */
  readonly url: string;
  /** service.name of the resource. */
  readonly node: string;
  /** Which part of the calls, 0 to 1. The same calls at all nodes. */
  readonly sample: number;
  /** Messages a second at most. */
  readonly rate: number;
}

export interface OtlpExportModules {
  readonly trail: Pick<Trail, "attach">;
  readonly spare: Pick<SpareTime, "share">;
  readonly clock: Pick<Clock, "setTimer" | "now">;
  readonly register: MetricsRegister;
  readonly log: Logger;
}

const EVERY_MS = 1_000;
const BATCH = 500;
/** Spans that wait for the collector. */
const LONGEST_QUEUE = 5_000;
const PATIENCE_MS = 5_000;
const reasons = ["away", "queue", "rate", "busy", "failed"] as const;

/** Tells an OpenTelemetry collector of the transactions of registrations and calls. Service never waits for it. */
export function otlpExport(
  options: OtlpExportOptions,
  { trail, spare, clock, register, log }: OtlpExportModules,
): Service {
  const { url, sample } = options;
  const resource = {
    "service.name": options.node,
    "service.namespace": "tidewater",
    "process.pid": process.pid,
  };
  const sent = register.counter({
    name: "ims_otlp_spans_sent_total",
    help: "Spans that the OpenTelemetry collector has taken",
    labels: {},
  });
  const dropped = register.counter({
    name: "ims_otlp_spans_dropped_total",
    help: "Messages and spans that the OpenTelemetry collector was not told of, by reason",
    labels: { reason: reasons },
  });
  const bucket = new TokenBucket(options.rate);
  const builder = new SpanBuilder();
  const queue: Span[] = [];
  let detach = (): void => undefined;
  let timer: Timer | undefined;
  let well = true;

  function add(span: Span): void {
    if (queue.length >= LONGEST_QUEUE) dropped.inc({ reason: "queue" });
    else queue.push(span);
  }

  /** One request at a time: what comes meanwhile waits, within bounds. */
  async function flush(): Promise<void> {
    for (const span of builder.abandoned(clock.now())) add(span);
    while (queue.length > 0) {
      const batch = queue.splice(0, BATCH);
      const problem = await post(batch);
      if (problem === undefined) sent.inc({}, batch.length);
      else dropped.inc({ reason: "away" }, batch.length);
      if ((problem === undefined) !== well) {
        well = problem === undefined;
        log.info(
          { url, reason: problem },
          well ? "the collector of traces answers" : "the collector of traces does not answer",
        );
      }
      if (problem !== undefined) return;
    }
  }

  async function post(batch: readonly Span[]): Promise<string | undefined> {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(otlpRequest(resource, VERSION, batch)),
        signal: AbortSignal.timeout(PATIENCE_MS),
        redirect: "error",
      });
      await response.body?.cancel();
      return response.ok ? undefined : `status ${response.status}`;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  function later(): void {
    timer = clock.setTimer(EVERY_MS, () => void flush().finally(later));
  }

  return {
    async start() {
      detach = trail.attach((step) => {
        if ((step.kind !== "sip" && step.kind !== "diameter") || step.ends === undefined) return;
        try {
          const { callId, session } = step.identifiers();
          const sampling = samplingOf(callId ?? session ?? "", sample, spare.share);
          if (sampling === "unsampled") return;
          if (sampling === "busy") return dropped.inc({ reason: "busy" });
          if (!bucket.take(step.at)) return dropped.inc({ reason: "rate" });
          const content = step.read();
          if (content === undefined) return;
          const span = builder.see({ content, direction: step.direction, time: step.time, ends: step.ends });
          if (span !== undefined) add(span);
        } catch {
          // Whatever a message may be: who sent it is answered.
          dropped.inc({ reason: "failed" });
        }
      });
      later();
    },
    async quiesce() {},
    async stop() {
      detach();
      timer?.cancel();
      await flush();
    },
  };
}

import { type CounterFamily, LATENCY_SECONDS, type MetricsRegister, metricsRegister } from "@ims/runtime";
import { type Result, resultClass, resultClasses } from "./base/result.ts";
import { resultCodeNames } from "./base/result-codes.ts";
import type { Application } from "./codec/command.ts";

/** Why a request of this node had no answer, or why a received message went nowhere. */
export const outcomeLabels = [...resultClasses, "timeout", "unavailable"] as const;
export const dropReasons = [
  "framing",
  "notCapabilities",
  "unmatchedAnswer",
  "malformedAnswer",
  "lateAnswer",
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Counters of one Diameter node. */
export interface DiameterMetrics {
  /** A request of this node came to its end. */
  sent(command: string, outcome: (typeof outcomeLabels)[number]): void;
  sentResult(command: string, result: Result): void;
  /** A request of this node had its answer, or none, so long after it was asked for, tries at other peers included. */
  ended(command: string, ms: number): void;
  /** A request of a peer was answered. */
  received(command: string, result: Result): void;
  /** Its handler took so long. */
  served(command: string, ms: number): void;
  /** A request was sent again with the T bit. */
  retransmitted(command: string): void;
  dropped(reason: DropReason): void;
}

export interface DiameterMetricsOptions {
  /** Left out: the counters go nowhere. */
  readonly register?: MetricsRegister;
  /** First part of the metric names; each node of one register needs its own. */
  readonly prefix: string;
  readonly applications: readonly Application[];
  readonly openPeers: () => number;
}

export function getMetrics({
  register,
  prefix,
  applications,
  openPeers,
}: DiameterMetricsOptions): DiameterMetrics {
  const target = register ?? metricsRegister();
  const command = [
    ...applications.flatMap(({ commands }) => commands.map(({ request }) => request.name)),
    "other",
  ];
  const sent = target.counter({
    name: `${prefix}_requests_sent_total`,
    help: "Diameter requests of this node by command and outcome",
    labels: { command, outcome: outcomeLabels },
  });
  const received = target.counter({
    name: `${prefix}_requests_received_total`,
    help: "Diameter requests answered by this node by command and result class",
    labels: { command, result: resultClasses },
  });
  const results = resultNames(applications);
  const resultsReceived = target.counter({
    name: `${prefix}_results_received_total`,
    help: "Answers to Diameter requests of this node by command and Result-Code or Experimental-Result-Code",
    labels: { command, result: results.all },
  });
  const resultsSent = target.counter({
    name: `${prefix}_results_sent_total`,
    help: "Answers of this node to Diameter requests by command and Result-Code or Experimental-Result-Code",
    labels: { command, result: results.all },
  });
  const seconds = target.histogram({
    name: `${prefix}_request_seconds`,
    help: "From a Diameter request of this node to its answer or its end without one, by command",
    labels: { command },
    buckets: LATENCY_SECONDS,
  });
  const serviceSeconds = target.histogram({
    name: `${prefix}_service_seconds`,
    help: "From a Diameter request to the answer of this node, by command",
    labels: { command },
    buckets: LATENCY_SECONDS,
  });
  const retransmitted = target.counter({
    name: `${prefix}_retransmissions_total`,
    help: "Diameter requests sent to another peer with the T bit",
    labels: { command },
  });
  const dropped: CounterFamily<{ readonly reason: typeof dropReasons }> = target.counter({
    name: `${prefix}_messages_dropped_total`,
    help: "Received Diameter messages that could not be used",
    labels: { reason: dropReasons },
  });
  target.gauge({ name: `${prefix}_open_peers`, help: "Diameter peers in an open state", value: openPeers });
  return {
    sent: (name, outcome) => sent.inc({ command: name, outcome }),
    sentResult: (name, result) => {
      sent.inc({ command: name, outcome: resultClass(result.code) });
      resultsReceived.inc({ command: name, result: results.of(result) });
    },
    ended: (name, ms) => seconds.observe({ command: name }, ms / 1000),
    received: (name, result) => {
      received.inc({ command: name, result: resultClass(result.code) });
      resultsSent.inc({ command: name, result: results.of(result) });
    },
    served: (name, ms) => serviceSeconds.observe({ command: name }, ms / 1000),
    retransmitted: (name) => retransmitted.inc({ command: name }),
    dropped: (reason) => dropped.inc({ reason }),
  };
}

/** The results that have a name, of the base protocol and of applications: what a peer makes up is "other". */
function resultNames(applications: readonly Application[]): {
  readonly all: readonly string[];
  of(result: Result): string;
} {
  const experimental = new Map<number, ReadonlyMap<number, string>>();
  for (const { vendorId, experimentalResults } of applications)
    if (experimentalResults !== undefined) experimental.set(vendorId, experimentalResults);
  const all = new Set(resultCodeNames.values());
  for (const names of experimental.values()) for (const name of names.values()) all.add(name);
  return {
    all: [...all, "other"],
    of: ({ code, vendorId }) =>
      (vendorId === 0 ? resultCodeNames : experimental.get(vendorId))?.get(code) ?? "other",
  };
}

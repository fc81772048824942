import { type CounterFamily, type MetricsRegister, metricsRegister } from "@ims/runtime";
import { resultClass, resultClasses } from "./base/result.ts";
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
  sentResult(command: string, resultCode: number): void;
  /** A request of a peer was answered. */
  received(command: string, resultCode: number): void;
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
    sentResult: (name, code) => sent.inc({ command: name, outcome: resultClass(code) }),
    received: (name, code) => received.inc({ command: name, result: resultClass(code) }),
    retransmitted: (name) => retransmitted.inc({ command: name }),
    dropped: (reason) => dropped.inc({ reason }),
  };
}

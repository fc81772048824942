import type { Clock, CounterFamily, Labels, Logger } from "@ims/runtime";
import type { OriginatedHandler, SipMessage } from "@ims/sip";
import type { KvStore } from "@ims/store";
import type { SealedStates } from "./sealed-states.ts";
import type { Branch } from "./service-request.ts";

/** Lines with the name of the server: fields first, then a text that does not change. Never a secret. */
export type ServerLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** Metrics, named `ims_as_<server>_<name>`. A second one of a name throws. */
export interface ServerMetrics {
  /** `name`: what is counted, such as `calls_total`. `labels`: every value that there may be. */
  counter<const L extends Labels>(name: string, help: string, labels: L): CounterFamily<L>;
  /** `value` is called on scrape. */
  gauge(name: string, help: string, value: () => number): void;
}

/** What the process does for an application server. */
export interface ServerHost {
  readonly name: string;
  /** By which it names itself: `sip:<name>.<home domain>`. */
  readonly uri: string;
  readonly homeDomain: string;
  /** What the operator has written for it, as JSON; {} when nothing. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What a timer's callback throws is logged. */
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly metrics: ServerMetrics;
  /**
   * Tables of this server alone, shared by the members of the pool and emptied with its memory: every entry has a lifetime. Outcomes are
   * values, `unavailable` among them; update() of @ims/store is read, change and write.
   */
  readonly store: KvStore;
  /** What is to come back with the requests of a dialog, sealed for the pool: as the user part for recordRoute(). */
  readonly dialogs: Pick<SealedStates, "seal" | "open">;
  /** What an operator should know, shown in /health/ready while it returns a text. */
  addNote(note: () => string | undefined): void;
  /** Sends a request of its own by its Route, else its Request-URI. Via, Max-Forwards and Content-Length are added. */
  originate(request: SipMessage, handler?: Partial<OriginatedHandler>): Branch;
}

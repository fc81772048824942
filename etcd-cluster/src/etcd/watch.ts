import type { Clock } from "@ims/runtime";
import type { Endpoint } from "./endpoint.ts";
import type { Requester } from "./requester.ts";
import { messagesOf } from "./transport.ts";
import {
  type Entry,
  entryOf,
  int,
  type Json,
  type KeyRange,
  list,
  object,
  rangeJson,
  revisionOf,
} from "./wire.ts";

export type WatchEvent =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string };

export type WatchTurn =
  /** All that happened up to and including `revision`, since the turn before. */
  | { readonly kind: "events"; readonly revision: number; readonly events: readonly WatchEvent[] }
  /** compacted: what was missed is forgotten; rewound: etcd was restored from an older state. The last turn. */
  | { readonly kind: "restart"; readonly reason: "compacted" | "rewound" };

export interface WatchRequest {
  readonly requester: Requester;
  readonly clock: Clock;
  readonly range: KeyRange;
  readonly fromRevision: number;
  readonly signal: AbortSignal;
  readonly checkMs: number;
}

const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/** One watch over as many connections as it takes. */
export async function* watchRange(request: WatchRequest): AsyncGenerator<WatchTurn> {
  const { requester, clock, range, signal } = request;
  let next = request.fromRevision;
  let pauseMs = MIN_PAUSE_MS;
  while (!signal.aborted) {
    const endpoint = requester.endpoint;
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const body = {
      create_request: { ...rangeJson(range), start_revision: String(next), progress_notify: true },
    };
    const opened = await requester.transport.open(endpoint, "/v3/watch", body, requester.tryMs, both);
    if (opened.kind === "open") {
      const check = checkServer(request, endpoint, () => next, abort);
      try {
        for await (const message of messagesOf(opened.response)) {
          const said = read(message);
          if (said === "broken") break;
          if (said.kind === "restart") return yield said;
          pauseMs = MIN_PAUSE_MS;
          if (said.revision >= next) next = said.revision + 1;
          if (said.events.length > 0) yield said;
        }
      } catch {
        // Broken off: go on elsewhere from `next`.
      } finally {
        check.stop();
        abort.abort();
      }
      if (check.rewound()) return yield { kind: "restart", reason: "rewound" };
    }
    if (signal.aborted) return;
    requester.leave(endpoint);
    await pause(clock, pauseMs, signal);
    pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
  }
}

/** A message of the gateway: created, events, progress, cancelled, or an error of the stream. */
function read(message: Json): WatchTurn | "broken" {
  if (message["error"] !== undefined) return "broken";
  const result = object(message["result"]);
  if (int(result["compact_revision"]) > 0) return { kind: "restart", reason: "compacted" };
  if (result["canceled"] === true) return "broken";
  const events = list(result["events"]).map(eventOf);
  // The header of "created" says where the cluster is, not what this watch has been told.
  if (result["created"] === true && events.length === 0) return { kind: "events", revision: 0, events };
  const told = list(result["events"]).map((event) => int(object(object(event)["kv"])["mod_revision"]));
  return { kind: "events", revision: told.length > 0 ? Math.max(...told) : revisionOf(result), events };
}

function eventOf(value: unknown): WatchEvent {
  const event = object(value);
  const entry = entryOf(event["kv"]);
  return event["type"] === "DELETE" ? { kind: "delete", key: entry.key } : { kind: "put", entry };
}

/** A frozen server keeps its connections: now and then it must answer a read, or the watch goes elsewhere. */
function checkServer(
  { requester, clock, range, checkMs }: WatchRequest,
  endpoint: Endpoint,
  next: () => number,
  abort: AbortController,
): { stop(): void; rewound(): boolean } {
  let rewound = false;
  let timer = clock.setTimer(checkMs, look);
  function look(): void {
    const body = { ...rangeJson(range), count_only: true };
    const told = next() - 1; // what is told while the read is under way may be newer than its answer
    void requester.transport.post(endpoint, "/v3/kv/range", body, requester.tryMs).then((reply) => {
      if (abort.signal.aborted) return;
      if (reply.kind === "lost" || reply.status !== 200) return abort.abort();
      rewound = revisionOf(reply.json) < told;
      if (rewound) return abort.abort();
      timer = clock.setTimer(checkMs, look);
    });
  }
  return { stop: () => timer.cancel(), rewound: () => rewound };
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimer(ms, done);
    signal.addEventListener("abort", done);
  });
}

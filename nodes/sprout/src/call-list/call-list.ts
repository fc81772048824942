import { type CallFragment, MAX_CALL_URI } from "@ims/api";
import type { ApplicationServer, InDialogRequest, InitialRequest, ServedUser } from "@ims/application-server";
import type { Clock } from "@ims/runtime";
import { partiesOf } from "./parties.ts";
import type { RecordedCalls } from "./recorded-call.ts";

export type CallListOutcome = "begin" | "end" | "rejected" | "forged";

export interface CallListModules {
  readonly calls: RecordedCalls;
  readonly clock: Clock;
  /** Takes what is to be written; calls do not wait for it. */
  readonly record: (fragment: CallFragment) => void;
  readonly counters: { callList(outcome: CallListOutcome): void };
}

/**
 * Network call lists: an application server that is a proxy (TS 24.229 §5.7.4) and notes of each call when it began, ended, or that
 * nobody answered. It stays on the path of answered calls to see their end.
 */
export class CallList implements ApplicationServer {
  readonly #modules: CallListModules;

  constructor(modules: CallListModules) {
    this.#modules = modules;
  }

  onInitialRequest(request: InitialRequest): void {
    const forwarded = request.copy();
    const served = request.request.method === "INVITE" ? request.served : undefined;
    // What a user has diverted stands in his list as the call that came.
    if (served !== undefined && served.sessionCase !== "orig-cdiv" && served.impu.length <= MAX_CALL_URI)
      request.recordRoute(forwarded, this.#record(request, served));
    request.forward(forwarded);
  }

  onInDialogRequest(request: InDialogRequest): void {
    if (request.request.method === "BYE") for (const { user } of request.routes) this.#end(user);
    request.forward();
  }

  /** Gives what names the call in the dialog. */
  #record(context: InitialRequest, served: ServedUser): string {
    const { calls, clock, record, counters } = this.#modules;
    const recorded = { impu: served.impu, call: calls.call(), startedAt: clock.now() };
    const parties = partiesOf(context.request, served);
    let known = false;
    context.onUpstream(({ status }) => {
      if (status < 200 || known) return;
      known = true;
      const kind = status < 300 ? "begin" : "rejected";
      counters.callList(kind);
      record(
        kind === "begin"
          ? { kind, ...recorded, ...parties, answeredAt: clock.now() }
          : { kind, ...recorded, ...parties },
      );
    });
    return calls.issue(recorded);
  }

  #end(user: string): void {
    const { calls, clock, record, counters } = this.#modules;
    const recorded = calls.read(user);
    if (recorded === "none") return;
    const kind = recorded === "forged" ? "forged" : "end";
    counters.callList(kind);
    if (recorded !== "forged") record({ kind: "end", ...recorded, endedAt: clock.now() });
  }
}

import type { CallFragment } from "@ims/api";
import type { Clock } from "@ims/runtime";
import type { AckContext, RequestContext, SipMessage, TransactionUser, Uri } from "@ims/sip";
import { servedBy } from "../mmtel/served.ts";
import { ownTopRoute } from "../routing/own-route.ts";
import type { ServiceUris } from "../routing/service-uris.ts";
import type { DialogTokens } from "./dialog-token.ts";
import { partiesOf } from "./parties.ts";

export type CallListOutcome = "begin" | "end" | "rejected" | "forged";

export interface CallListModules {
  readonly own: ServiceUris;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  readonly tokens: DialogTokens;
  readonly clock: Clock;
  /** Takes what is to be written; calls do not wait for it. */
  readonly record: (fragment: CallFragment) => void;
  readonly counters: { callList(outcome: CallListOutcome): void };
}

/**
 * Network call lists: an application server that is a proxy (TS 24.229 §5.7.4) and notes of each call when it began, ended, or that
 * nobody answered. It stays on the path of answered calls to see their end.
 */
export class CallList implements TransactionUser {
  readonly functionalEntity = "AS";
  readonly #modules: CallListModules;

  constructor(modules: CallListModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { own, side } = this.#modules;
    const { request } = context;
    if (request.method === "REGISTER") return context.respond(200);
    const forwarded = context.forward();
    const isInitial = request.toTag === "";
    this.#popOwnRoutes(forwarded, request.method === "BYE" && !isInitial);
    const { target } = forwarded;
    // A request for ourselves that leads nowhere.
    if (forwarded.top("Route") === undefined && target !== undefined && own.has(target))
      return context.respond(404);
    if (isInitial && request.method === "INVITE") this.#record(context, forwarded);
    context.fork(forwarded, { destination: { kind: "uri", side } });
  }

  onAck(context: AckContext): void {
    const forwarded = context.forward();
    this.#popOwnRoutes(forwarded, false);
    context.send(forwarded, { kind: "uri", side: this.#modules.side });
  }

  #record(context: RequestContext, forwarded: SipMessage): void {
    const { own, tokens, clock, record, counters } = this.#modules;
    const { request } = context;
    const served = servedBy(request, own);
    // What a user has diverted stands in his list as the call that came.
    if (served === undefined || served.part === "diverting") return;
    const recorded = { impu: served.impu, call: tokens.call(), startedAt: clock.now() };
    const parties = partiesOf(request, served);
    forwarded.prepend("Record-Route", `<sip:${tokens.issue(recorded)}@${own.uri.slice(4)};lr>`);
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
  }

  /** Takes our Route values off the top; `ends`: of the calls that they name this is the end. */
  #popOwnRoutes(request: SipMessage, ends: boolean): void {
    const { own, tokens, clock, record, counters } = this.#modules;
    for (let route = ownTopRoute(request, own); route !== undefined; route = ownTopRoute(request, own)) {
      request.popRoute();
      if (!ends) continue;
      const recorded = tokens.read(route.user);
      if (recorded === "none") continue;
      const kind = recorded === "forged" ? "forged" : "end";
      counters.callList(kind);
      if (recorded !== "forged") record({ kind: "end", ...recorded, endedAt: clock.now() });
    }
  }
}

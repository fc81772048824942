import type { AckContext, RequestContext, TransactionUser, Uri } from "@ims/sip";
import type { OwnUris } from "../routing/own-route.ts";
import { popOwnRoutes } from "../routing/own-route.ts";
import type { NumberingOptions } from "../routing/telephone-number.ts";
import type { BgcfRoutes } from "./routes.ts";

export interface BgcfModules {
  readonly options: NumberingOptions & {
    /** Side (trust zone) that requests leave on. */
    readonly side: string;
    /** Domains without a route are reached by DNS. */
    readonly allowForeignDomains: boolean;
  };
  readonly routes: { readonly table: BgcfRoutes };
  readonly own: OwnUris;
  readonly counters: { request(outcome: "routed" | "refused"): void };
}

/** Breakout Gateway Control Function: TS 24.229 §5.6. It stays in no dialog, so it sees initial requests only. */
export class Bgcf implements TransactionUser {
  readonly functionalEntity = "BGCF";
  readonly #modules: BgcfModules;

  constructor(modules: BgcfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { options, routes, counters } = this.#modules;
    const refuse = (status: number, reason?: string): void => {
      counters.request("refused");
      context.respond(status, reason === undefined ? {} : { reason });
    };
    if (context.request.method === "REGISTER") return refuse(403);
    // 1. A Route that somebody has chosen for it is followed.
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    const destination = { kind: "uri", side: options.side } as const;
    if (forwarded.top("Route") === undefined) {
      // 2. The network where breakout occurs (§5.6.2).
      const { target } = forwarded;
      if (target === undefined) return refuse(400);
      const sip = target.scheme === "sip" || target.scheme === "sips";
      const route = routes.table.find(target, options);
      if (route === undefined && !(sip && options.allowForeignDomains))
        return refuse(404, "Not Found (no route)");
      if ((route === undefined || route.length === 0) && !sip) return refuse(404, "Not Found (no route)");
      // It would come back to where it came from.
      const leadsBack = (route ?? []).length === 0 && isOurs(target, options);
      if (leadsBack) return refuse(404, "Not Found (no route)");
      for (const value of (route ?? []).toReversed()) forwarded.prepend("Route", value);
      // 3. What only the home network may know (§4.4).
      forwarded.remove("P-Access-Network-Info").remove("P-Charging-Function-Addresses");
    }
    counters.request("routed");
    context.fork(forwarded, { destination });
  }

  /** No Record-Route of ours leads here; a Route that does is followed. */
  onAck(context: AckContext): void {
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    if (forwarded.top("Route") !== undefined)
      context.send(forwarded, { kind: "uri", side: this.#modules.options.side });
  }
}

function isOurs({ host }: Uri, { homeDomain, aliasDomains }: NumberingOptions): boolean {
  return host === homeDomain || aliasDomains.includes(host);
}

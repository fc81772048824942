import { type ChargingTriggers, parseChargingFunctionAddresses } from "@ims/ims";
import {
  type AckContext,
  type OwnUris,
  ownTopRoute,
  popOwnRoutes,
  type RequestContext,
  type SipMessage,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import type { NumberingOptions } from "../routing/telephone-number.ts";
import type { BgcfRoutes } from "./routes.ts";

export interface BgcfModules {
  readonly options: NumberingOptions & {
    /** Its own SIP URI. */
    readonly uri: string;
    /** Side (trust zone) that requests leave on. */
    readonly side: string;
    /** Domains without a route are reached by DNS. */
    readonly allowForeignDomains: boolean;
  };
  readonly routes: { readonly table: BgcfRoutes };
  readonly own: OwnUris;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ChargingTriggers | undefined;
  readonly counters: { request(outcome: "routed" | "refused"): void };
}

/** Breakout Gateway Control Function: TS 24.229 §5.6. It stays in the dialogs of calls that it charges, to see their end, and in no other. */
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
    const { request } = context;
    if (request.method === "REGISTER") return refuse(403);
    if (request.toTag !== "" && ownTopRoute(request, this.#modules.own) !== undefined)
      return this.#inDialog(context);
    this.#charge(context);
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
      context.decided("BGCF", {
        target: forwarded.requestUri,
        route: route === undefined ? "none" : route.length === 0 ? "as addressed" : route.join(", "),
      });
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
    if (this.#modules.charging !== undefined && request.method === "INVITE")
      forwarded.prepend("Record-Route", `<${options.uri};lr>`);
    context.fork(forwarded, { destination });
  }

  /** Follows its Route, also that of a call that began when calls were charged. */
  onAck(context: AckContext): void {
    const forwarded = this.#follow(context);
    if (forwarded !== undefined) context.send(forwarded, { kind: "uri", side: this.#modules.options.side });
  }

  #inDialog(context: RequestContext): void {
    const forwarded = this.#follow(context);
    if (forwarded === undefined) return context.respond(404);
    const charged = this.#modules.charging?.inDialog(context.request);
    if (charged !== undefined) context.onUpstream((response) => charged.sees(response));
    context.fork(forwarded, { destination: { kind: "uri", side: this.#modules.options.side } });
  }

  /** Undefined: nobody's Route leads on, or it would come back to us. */
  #follow(context: RequestContext | AckContext): SipMessage | undefined {
    const { own } = this.#modules;
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    if (forwarded.top("Route") !== undefined) return forwarded;
    const { target } = forwarded;
    if (ownTopRoute(context.request, own) === undefined || target === undefined || own.has(target))
      return undefined;
    forwarded.remove("P-Access-Network-Info").remove("P-Charging-Function-Addresses");
    return forwarded;
  }

  #charge(context: RequestContext): void {
    const charged = this.#modules.charging?.initial(context.request, "originating");
    if (charged === undefined) return;
    const addresses = context.request.header("P-Charging-Function-Addresses");
    if (addresses !== undefined) charged.collectAt(parseChargingFunctionAddresses(addresses).ccf);
    context.onUpstream((response) => charged.sees(response));
  }
}

function isOurs({ host }: Uri, { homeDomain, aliasDomains }: NumberingOptions): boolean {
  return host === homeDomain || aliasDomains.includes(host);
}

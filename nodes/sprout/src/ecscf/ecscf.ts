import { type ChargingTriggers, emergencyService } from "@ims/ims";
import {
  type AckContext,
  type OwnUris,
  parseUri,
  popOwnRoutes,
  type RequestContext,
  type SipMessage,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import { locationsOf } from "./location.ts";
import type { Psap, PsapRoutes } from "./psap-routes.ts";

export interface EcscfModules {
  readonly options: {
    /** Its own SIP URI. */
    readonly uri: string;
    /** SIP URI of the BGCF for PSAPs in the PSTN; "": there is none. */
    readonly bgcfUri: string;
    /** Side (trust zone) that requests leave on. */
    readonly side: string;
    readonly psapTimeoutMs: number;
  };
  readonly routes: { readonly table: PsapRoutes };
  readonly own: OwnUris;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ChargingTriggers | undefined;
  readonly counters: {
    /** "default": no route was for where the caller is; "rerouted": to the next PSAP. */
    request(outcome: "routed" | "default" | "rerouted" | "refused"): void;
  };
}

/** Emergency-CSCF: TS 24.229 §5.11. It stays in its dialogs. */
export class Ecscf implements TransactionUser {
  readonly functionalEntity = "E-CSCF";
  readonly #modules: EcscfModules;

  constructor(modules: EcscfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { request } = context;
    if (request.toTag !== "") return this.#inDialog(context);
    const service = request.method === "REGISTER" ? undefined : emergencyService(request.requestUri);
    if (service !== undefined) return this.#emergency(context, service);
    // §5.11.2: it is for emergencies only.
    this.#modules.counters.request("refused");
    context.respond(403, { reason: "Forbidden (no emergency service)" });
  }

  onAck(context: AckContext): void {
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    context.send(forwarded, { kind: "uri", side: this.#modules.options.side });
  }

  /** §5.11.2: the PSAP for service and location; when it cannot be had the next one. */
  #emergency(context: RequestContext, service: string): void {
    const { options, routes, counters, charging } = this.#modules;
    const { request } = context;
    // 1. Where is the caller? Nothing that he says wrong keeps him from the default.
    const { psaps, located } = routes.table.find(service, locationsOf(request));
    counters.request(located ? "routed" : "default");

    // 2. Our Route goes, we stay on the path.
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    forwarded.remove("Route");
    if (service !== request.requestUri) forwarded.requestUri = service;
    if (request.method !== "MESSAGE") forwarded.prepend("Record-Route", `<${options.uri};lr>`);
    const charged = charging?.initial(request, "originating");
    if (charged !== undefined) context.onUpstream((response) => charged.sees(response));
    // 3. One PSAP after the other.
    this.#send(context, forwarded, psaps);
  }

  #send(context: RequestContext, forwarded: SipMessage, [psap, ...others]: readonly Psap[]): void {
    const { options, counters } = this.#modules;
    if (psap === undefined) return;
    const copy = forwarded.clone();
    const bgcf = psap.kind === "number" ? parseUri(options.bgcfUri) : undefined;
    if (psap.kind === "number") copy.requestUri = psap.uri;
    else {
      copy.prepend("Route", psap.route);
      // What only the networks on the way may know ends before the PSAP (§5.11.2, §4.4); where the caller is does not.
      copy.remove("P-Charging-Vector").remove("P-Charging-Function-Addresses");
    }
    const waits = others.length > 0 && copy.method === "INVITE";
    context.fork(copy, {
      destination: { kind: "uri", side: options.side, ...(bgcf === undefined ? {} : { uri: bgcf }) },
      ...(waits ? { firstResponseMs: options.psapTimeoutMs } : {}),
      onResponse: (response) => {
        const { status } = response;
        if (status < 300 || context.cancelled || context.answered) return "forward";
        if (others.length > 0) {
          counters.request("rerouted");
          this.#send(context, forwarded, others);
          return "absorb";
        }
        // Nobody in need is asked for a password.
        if (status !== 401 && status !== 407) return "forward";
        context.respond(480);
        return "absorb";
      },
    });
  }

  #inDialog(context: RequestContext): void {
    const { options, charging } = this.#modules;
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    const { target } = forwarded;
    // It would come back to us.
    if (forwarded.top("Route") === undefined && (target === undefined || this.#modules.own.has(target)))
      return context.respond(404);
    const charged = charging?.inDialog(context.request);
    if (charged !== undefined) context.onUpstream((response) => charged.sees(response));
    context.fork(forwarded, { destination: { kind: "uri", side: options.side } });
  }
}

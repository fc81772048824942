import type { RequestContext, SipMessage, TransactionUser, Uri } from "@ims/sip";
import { servedBy } from "../mmtel/served.ts";
import { ownTopRoute, popOwnRoutes } from "../routing/own-route.ts";
import type { ServiceUris } from "../routing/service-uris.ts";
import { nativeUri } from "./native-uri.ts";

export type TwinningOutcome = "forked" | "voip" | "native" | "unregistered";

export interface TwinningModules {
  readonly own: ServiceUris;
  readonly homeDomain: string;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  readonly counters: { twinning(outcome: TwinningOutcome): void };
}

/** TS 24.292 §7.2.2: whoever serves a phone of a circuit-switched network registers with it. */
const NATIVE = '+g.3gpp.ics="server,principal"';
/** VoIP clients that run on the phone that is also called over the circuit-switched network register with it. */
const WITH_TWIN = "+sip.with-twin";
const PREFIX = /^[0-9A-Za-z*+_.-]{1,32}$/;

/**
 * Twinning of VoIP clients with a mobile phone of a circuit-switched network: who is called is alerted on all of them, and on the
 * mobile itself once. An application server that is a proxy (TS 24.229 §5.7.4), by the preferences of RFC 3841.
 */
export class Twinning implements TransactionUser {
  readonly functionalEntity = "AS";
  readonly #modules: TwinningModules;

  constructor(modules: TwinningModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { own } = this.#modules;
    const { request } = context;
    if (request.method === "REGISTER") return context.respond(200);
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    const { target } = forwarded;
    // A request for ourselves that leads nowhere.
    if (forwarded.top("Route") === undefined && target !== undefined && own.has(target))
      return context.respond(404);
    const isTwinned = request.toTag === "" && (request.method === "INVITE" || request.method === "SUBSCRIBE");
    // What leaves for the mobile passes the criteria of the user again, as a diverted call.
    if (!isTwinned || servedBy(request, own)?.part !== "terminating") return this.#send(context, forwarded);
    const prefix = ownTopRoute(request, own)?.parameters.get("twin-prefix") ?? "";
    this.#twin(context, forwarded, PREFIX.test(prefix) ? prefix : "");
  }

  #twin(context: RequestContext, forwarded: SipMessage, prefix: string): void {
    const { counters, homeDomain } = this.#modules;
    // One client is meant: its GRUU (RFC 5627).
    if (forwarded.target?.parameters.has("gr") === true) {
      counters.twinning("voip");
      return this.#send(context, forwarded);
    }
    const toNative = nativeUri(forwarded, prefix, homeDomain);
    if (toNative === undefined) return context.respond(480);
    // The mobile is meant.
    if (wantsNative(forwarded)) {
      counters.twinning("native");
      forwarded.requestUri = toNative;
      return this.#send(context, forwarded);
    }
    counters.twinning("forked");
    const voip = forwarded.clone();
    voip.append("Reject-Contact", `*;${WITH_TWIN}`).append("Reject-Contact", `*;${NATIVE}`);
    const native = forwarded.clone();
    native.requestUri = toNative;
    native.append("Accept-Contact", `*;${NATIVE};explicit;require`);
    native.append("Reject-Contact", `*;${WITH_TWIN}`);
    const destination = { kind: "uri", side: this.#modules.side } as const;
    context.fork(voip, { destination, parallel: 2 });
    context.fork(native, {
      destination,
      parallel: 2,
      onResponse: ({ status }) => {
        if (status !== 480 || forwarded.method !== "INVITE" || context.cancelled || context.answered)
          return "forward";
        // The mobile is off or abroad: the client on it may be reached all the same.
        counters.twinning("unregistered");
        const onMobile = forwarded.clone();
        onMobile.append("Accept-Contact", `*;${WITH_TWIN};explicit;require`);
        this.#send(context, onMobile);
        return "absorb";
      },
    });
  }

  #send(context: RequestContext, request: SipMessage): void {
    context.fork(request, { destination: { kind: "uri", side: this.#modules.side } });
  }
}

/** RFC 3841 §9.2: the caller asks for a phone of a circuit-switched network. */
function wantsNative(request: SipMessage): boolean {
  return request
    .values("Accept-Contact")
    .some((value) => /;\s*\+g\.3gpp\.ics\s*=\s*"[^"]*(?:server|principal)/i.test(value));
}

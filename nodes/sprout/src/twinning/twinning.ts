import type { ApplicationServer, InitialRequest } from "@ims/application-server";
import type { SipMessage } from "@ims/sip";
import { nativeUri } from "./native-uri.ts";

export type TwinningOutcome = "forked" | "voip" | "native" | "unregistered";

export interface TwinningModules {
  readonly homeDomain: string;
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
export class Twinning implements ApplicationServer {
  readonly #modules: TwinningModules;

  constructor(modules: TwinningModules) {
    this.#modules = modules;
  }

  onInitialRequest(call: InitialRequest): void {
    const { method } = call.request;
    const isTwinned = method === "INVITE" || method === "SUBSCRIBE";
    // What leaves for the mobile passes the criteria of the user again, as a diverted call.
    if (!isTwinned || call.served?.sessionCase !== "term") return void call.forward();
    const prefix = call.criterion?.parameters.get("twin-prefix") ?? "";
    this.#twin(call, PREFIX.test(prefix) ? prefix : "");
  }

  #twin(call: InitialRequest, prefix: string): void {
    const { counters, homeDomain } = this.#modules;
    const forwarded = call.copy();
    // One client is meant: its GRUU (RFC 5627).
    if (forwarded.target?.parameters.has("gr") === true) {
      counters.twinning("voip");
      return void call.forward(forwarded);
    }
    const toNative = nativeUri(forwarded, prefix, homeDomain);
    if (toNative === undefined) return call.respond(480);
    // The mobile is meant.
    if (wantsNative(forwarded)) {
      counters.twinning("native");
      forwarded.requestUri = toNative;
      return void call.forward(forwarded);
    }
    counters.twinning("forked");
    const voip = forwarded.clone();
    voip.append("Reject-Contact", `*;${WITH_TWIN}`).append("Reject-Contact", `*;${NATIVE}`);
    const native = forwarded.clone();
    native.requestUri = toNative;
    native.append("Accept-Contact", `*;${NATIVE};explicit;require`);
    native.append("Reject-Contact", `*;${WITH_TWIN}`);
    call.forward(voip, { parallel: 2 });
    call.forward(native, {
      parallel: 2,
      onResponse: ({ status }) => {
        if (status !== 480 || forwarded.method !== "INVITE" || call.cancelled || call.answered)
          return "forward";
        // The mobile is off or abroad: the client on it may be reached all the same.
        counters.twinning("unregistered");
        const onMobile = forwarded.clone();
        onMobile.append("Accept-Contact", `*;${WITH_TWIN};explicit;require`);
        call.forward(onMobile);
        return "absorb";
      },
    });
  }
}

/** RFC 3841 §9.2: the caller asks for a phone of a circuit-switched network. */
function wantsNative(request: SipMessage): boolean {
  return request
    .values("Accept-Contact")
    .some((value) => /;\s*\+g\.3gpp\.ics\s*=\s*"[^"]*(?:server|principal)/i.test(value));
}

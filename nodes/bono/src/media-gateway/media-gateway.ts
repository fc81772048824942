import { randomBytes } from "node:crypto";
import type { Flow, SipMessage } from "@ims/sip";
import { descriptionIn, isEncoded } from "./body.ts";
import { BoundedMap } from "./bounded-map.ts";
import { MediaExchange } from "./media-exchange.ts";
import type { MediaGateways } from "./media-gateways.ts";
import type { MediaGatewaySettings, MediaMemory, MediaSession, Side } from "./media-session.ts";
import type { NgGateway } from "./ng-gateway.ts";
import { kindOf, type MediaKind } from "./session-description.ts";

const NAME_LENGTH = 8;
const LEG_BYTES = 5;
const MARKER = /^[0-9a-f]{18}$/;
/** Methods that carry offers and answers (RFC 6337 §2.2). */
const NEGOTIATING: ReadonlySet<string> = new Set(["INVITE", "UPDATE", "PRACK", "ACK"]);
/** Sessions that something is remembered of. */
const MAX_REMEMBERED = 100_000;

/**
 * IMS-ALG of the P-CSCF (TS 23.228 annex G, TS 24.229 §6.7.2): finds out which messages of a UE have to pass a media gateway. Nothing that
 * a call needs is kept here but offers that are open, which end with their transaction.
 */
export class MediaGateway implements MediaMemory {
  readonly settings: MediaGatewaySettings;
  readonly gateways: MediaGateways;
  readonly openOffers = new BoundedMap<true>(MAX_REMEMBERED);
  /** Tag of the far side whose 2xx began the session; who else has said 2xx does not end it. */
  readonly #farTags = new BoundedMap<string>(MAX_REMEMBERED);
  /** Gateways of sessions that began inside a dialog, by Call-ID. */
  readonly #unmarked = new BoundedMap<NgGateway>(MAX_REMEMBERED);
  readonly #defect: (error: unknown, request: SipMessage) => void;

  constructor(
    settings: MediaGatewaySettings,
    gateways: MediaGateways,
    defect: (error: unknown, request: SipMessage) => void,
  ) {
    this.settings = settings;
    this.gateways = gateways;
    this.#defect = defect;
  }

  /** What a request outside a dialog needs of a gateway. `urgent`: to where nobody would convert it, and it goes on in any case. */
  initial(request: SipMessage, from: Side, flow: Flow, urgent = false): MediaExchange | undefined {
    if (request.method !== "INVITE" || isEncoded(request)) return undefined;
    const outward = urgent || this.settings.engage === "always";
    const kind = kindOfUe(flow);
    const found = descriptionIn(request);
    const offered = found && kindOf(found.sdp);
    if (found === undefined) {
      // RFC 3264 §4: the offer comes in the answer, from whom is not known. Who is out of the ordinary adapts.
      if (kind !== "webrtc") return undefined;
    } else if (offered === undefined) return undefined;
    else if (from === "core" ? offered === kind : !(outward && kind === "webrtc" && offered === kind))
      return undefined;
    const leg = randomBytes(LEG_BYTES).toString("hex");
    return this.#exchange(request, from, kind, sessionKey(request.callId, leg), leg, urgent);
  }

  /** What a request inside a dialog needs of a gateway. */
  inDialog(request: SipMessage, from: Side, flow: Flow): MediaExchange | undefined {
    if (!NEGOTIATING.has(request.method)) return undefined;
    const kind = kindOfUe(flow);
    const session = this.#sessionOf(request);
    if (session !== undefined) return this.#made(request, from, kind, session, []);
    // A call that had no need of a gateway until now, as when somebody transfers it.
    if (from === "ue" || request.method === "ACK" || isEncoded(request)) return undefined;
    const found = descriptionIn(request);
    const offered = found && kindOf(found.sdp);
    if (offered === undefined || offered === kind) return undefined;
    const exchange = this.#exchange(request, from, kind, sessionKey(request.callId, ""), "");
    const { gateway } = exchange.session;
    if (gateway !== undefined) this.#unmarked.set(request.callId, gateway);
    return exchange;
  }

  /** A BYE passes: the media of its call are over. */
  bye(request: SipMessage, from: Side): void {
    const session = this.#sessionOf(request);
    if (session === undefined) {
      void this.#unmarked.take(request.callId)?.release(sessionKey(request.callId, ""));
      return;
    }
    const known = this.#farTags.get(session.key);
    const far = from === "ue" ? request.toTag : request.fromTag;
    if (known !== undefined && known !== far) return;
    this.#farTags.take(session.key);
    void session.gateway?.release(session.key);
  }

  begun(session: MediaSession, farTag: string): void {
    if (this.#farTags.get(session.key) === undefined) this.#farTags.set(session.key, farTag);
  }

  #exchange(
    request: SipMessage,
    from: Side,
    kind: MediaKind,
    key: string,
    leg: string,
    urgent = false,
  ): MediaExchange {
    const [gateway, ...others] = this.gateways.for(request.callId);
    const session = sessionAt(gateway, key, leg);
    // One more is tried when the first one is silent: the time of a caller is bounded.
    const spare = others.slice(0, 1).map((other) => sessionAt(other, key, leg));
    return this.#made(request, from, kind, session, spare, urgent);
  }

  #made(
    request: SipMessage,
    from: Side,
    kind: MediaKind,
    session: MediaSession,
    spare: readonly MediaSession[],
    urgent = false,
  ): MediaExchange {
    const defect = (error: unknown): void => this.#defect(error, request);
    const onFailure = urgent ? "pass" : this.settings.onFailure;
    return new MediaExchange({ request, from, kind, session, spare, onFailure, media: this, defect });
  }

  /** By our Record-Route values, which are the first in its Route: of both sides, in the order of their direction. */
  #sessionOf(request: SipMessage): MediaSession | undefined {
    const { routes, callId } = request;
    for (let at = 0; at < 2; at++) {
      const marker = routes[at]?.uri?.user.split(".", 4)[3];
      if (marker === undefined || !MARKER.test(marker)) continue;
      const gateway = this.gateways.named(marker.slice(0, NAME_LENGTH));
      return { gateway, key: sessionKey(callId, marker.slice(NAME_LENGTH)), marker };
    }
    return undefined;
  }
}

/** Browsers come over WebSocket, and they speak nothing else. */
function kindOfUe({ protocol }: Flow): MediaKind {
  return protocol === "WS" || protocol === "WSS" ? "webrtc" : "rtp";
}

/** Two P-CSCFs may have one end each of the same call at the same gateway. */
function sessionKey(callId: string, leg: string): string {
  return leg === "" ? callId : `${callId}/${leg}`;
}

function sessionAt(gateway: NgGateway | undefined, key: string, leg: string): MediaSession {
  const marker = gateway === undefined || leg === "" ? "" : gateway.name + leg;
  return { gateway, key, marker };
}

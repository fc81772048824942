import type { BoundedMap } from "./bounded-map.ts";
import type { NgGateway } from "./ng-gateway.ts";

/** Which end of the P-CSCF: that of the UE, or that of the core. */
export type Side = "ue" | "core";

export interface MediaGatewaySettings {
  /**
   * "always": the core sees RTP/AVP only, media of every UE of WebRTC pass its own P-CSCF's gateway (TS 23.228 annex U). "auto": an offer
   * is converted where it reaches a UE that could not understand it, so calls between two UEs of WebRTC pass none.
   */
  readonly engage: "auto" | "always";
  /** What becomes of a session description that no gateway could convert: the request is refused, or it goes on as it was. */
  readonly onFailure: "refuse" | "pass";
  /** Names of rtpengine's interfaces towards UEs and towards the core; undefined: it has one. */
  readonly interfaces: { readonly ue: string; readonly core: string } | undefined;
  /** Codecs that are offered besides, and transcoded when they are taken. */
  readonly codecs: readonly string[];
}

/** Where media of one UE in one call pass: stands in our Record-Route, so that every member of the pool knows it. */
export interface MediaSession {
  readonly gateway: NgGateway | undefined;
  /** Key of the session at the gateway: the Call-ID, and what tells it from other ends of the call there. */
  readonly key: string;
  /** User part of our Record-Route, fourth field; "": there is none. */
  readonly marker: string;
}

/** What is known of sessions beyond one request. */
export interface MediaMemory {
  readonly settings: MediaGatewaySettings;
  /** Offers in answers to an INVITE without one, by session. */
  readonly openOffers: BoundedMap<true>;
  /** The first 2xx of a call. */
  begun(session: MediaSession, farTag: string): void;
}

import type { Bencodable } from "./bencode.ts";
import type { MediaKind } from "./session-description.ts";

type Fields = { readonly [key: string]: Bencodable };

/**
 * TS 23.334 §6.2.10 and TS 24.371 in words of rtpengine: towards a UE of WebRTC the gateway ends ICE and DTLS-SRTP and takes RTP and RTCP
 * on one port; it waits for the DTLS of the other side, which browsers begin. SDES is nobody's.
 */
const WEBRTC: Fields = {
  "transport-protocol": "UDP/TLS/RTP/SAVPF",
  ICE: "force",
  DTLS: "passive",
  SDES: ["off"],
  replace: ["origin", "session-connection"],
};

const RTP: Fields = {
  "transport-protocol": "RTP/AVP",
  ICE: "remove",
  DTLS: "off",
  // Of the other side, which offers: a browser that gets a handshake before its answer never begins its own.
  "DTLS-reverse": "passive",
  SDES: ["off"],
  "rtcp-mux": ["demux"],
  replace: ["origin", "session-connection"],
};

/** An offer to a browser has identification tags (RFC 9429 §5.2.1), and asks for one port (RFC 8834 §4.5). */
const WEBRTC_OFFER: Fields = { ...WEBRTC, "rtcp-mux": ["offer", "require"], flags: ["generate-mid"] };

/** What rtpengine is told of a session description that leaves it as `kind`. */
export function profileOf(command: "offer" | "answer", kind: MediaKind): Fields {
  if (kind === "rtp") return RTP;
  return command === "offer" ? WEBRTC_OFFER : WEBRTC;
}

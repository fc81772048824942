import type { Bencodable } from "./bencode.ts";
import type { MediaKind } from "./session-description.ts";

type Fields = { readonly [key: string]: Bencodable };

const REPLACED: Fields = { replace: ["origin", "session-connection"] };

/**
 * TS 23.334 §6.2.10 and TS 24.371 in words of rtpengine: towards a UE of WebRTC the gateway ends ICE and DTLS-SRTP, and waits for the DTLS
 * of the other side, which browsers begin. An answer has the transport that was offered.
 */
const WEBRTC: Fields = { ...REPLACED, ICE: "force", DTLS: "passive", SDES: ["off"] };

/** It has identification tags (RFC 9429 §5.2.1), and asks for RTP and RTCP on one port (RFC 8834 §4.5). */
const WEBRTC_OFFER: Fields = {
  ...WEBRTC,
  "transport-protocol": "UDP/TLS/RTP/SAVPF",
  "rtcp-mux": ["offer", "require"],
  flags: ["generate-mid"],
};

const RTP: Fields = { ...REPLACED, ICE: "remove" };

const RTP_OFFER: Fields = {
  ...RTP,
  "transport-protocol": "RTP/AVP",
  "rtcp-mux": ["demux"],
  SDES: ["off"],
  DTLS: "off",
  // Of the other side, which offers: a browser that gets a handshake before its answer never begins its own.
  "DTLS-reverse": "passive",
};

/** What rtpengine is told of a session description that leaves it as `kind`. */
export function profileOf(command: "offer" | "answer", kind: MediaKind): Fields {
  if (kind === "rtp") return command === "offer" ? RTP_OFFER : RTP;
  return command === "offer" ? WEBRTC_OFFER : WEBRTC;
}

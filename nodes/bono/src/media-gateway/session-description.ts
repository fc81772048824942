/** What the two sides of a media gateway speak: RTP/SAVPF keyed by DTLS with ICE (RFC 8834, RFC 8827), or RTP/AVP. */
export type MediaKind = "webrtc" | "rtp";

const MEDIA_LINES = /^m=\S+ [0-9]+(?:\/[0-9]+)? (\S+)/gm;
const OVER_DTLS = /^(?:UDP|TCP)\/(?:TLS\/RTP\/SAVPF?|DTLS\/)/i;

/** What a session description is about; undefined: it has no media. */
export function kindOf(sdp: string): MediaKind | undefined {
  let kind: MediaKind | undefined;
  for (const [, transport = ""] of sdp.matchAll(MEDIA_LINES)) {
    if (OVER_DTLS.test(transport)) return "webrtc";
    // As browsers wrote it before RFC 8834.
    if (/^RTP\/SAVPF?$/i.test(transport) && /^a=fingerprint:/m.test(sdp)) return "webrtc";
    kind = "rtp";
  }
  return kind;
}

/** Attributes that mean nothing, or something wrong, with RTP/AVP and without BUNDLE (RFC 4585 §4.2, RFC 9143). */
const OF_WEBRTC =
  /^a=(?:group:BUNDLE|mid|msid|msid-semantic|extmap|extmap-allow-mixed|ssrc|ssrc-group|rtcp-fb|rtcp-rsize|rid|simulcast|bundle-only|ice-options|end-of-candidates)(?:[: ][^\r\n]*)?\r?\n/gim;

/** As a phone with RTP/AVP expects it. */
export function withoutWebRtc(sdp: string): string {
  return sdp.replace(OF_WEBRTC, "");
}

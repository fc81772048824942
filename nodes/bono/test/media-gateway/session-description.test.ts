import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, withoutWebRtc } from "../../src/media-gateway/session-description.ts";

test("RFC 8834 §4.2: who speaks DTLS-SRTP is told by the transport of the media", () => {
  const cases = [
    ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "webrtc"],
    ["m=audio 9 udp/tls/rtp/savp 0", "webrtc"],
    ["m=video 0 RTP/AVP 96\r\nm=audio 9/2 TCP/TLS/RTP/SAVPF 111", "webrtc"],
    ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "webrtc"],
    ["a=fingerprint:sha-256 AA\r\nm=audio 9 RTP/SAVPF 111", "webrtc"],
    ["m=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "rtp"],
    ["m=audio 9 RTP/AVP 0\r\na=x:UDP/TLS/RTP/SAVPF", "rtp"],
    ["s=m=audio 9 UDP/TLS/RTP/SAVPF 0", undefined],
    ["", undefined],
  ] as const;
  for (const [lines, kind] of cases) assert.equal(kindOf(`v=0\r\n${lines}\r\n`), kind, lines);
});

test("RFC 4585 §4.2: attributes of WebRTC do not go on with RTP/AVP, all others do", () => {
  const kept = [
    "v=0",
    "m=audio 1 RTP/AVP 0",
    "a=rtpmap:0 PCMU/8000",
    "a=midi:1",
    "a=ptime:20",
    "a=sendrecv",
    "a=group:LS 1",
  ];
  const dropped = [
    "a=group:BUNDLE 0",
    "a=mid:0",
    "a=msid:x y",
    "a=extmap:1 urn:x",
    "a=extmap-allow-mixed",
    "a=ssrc:1 cname:x",
    "a=rtcp-fb:0 nack",
    "a=rtcp-rsize",
    "a=ice-options:trickle",
  ];
  const mixed = kept.flatMap((line, index) => [line, ...dropped.slice(index * 2, index * 2 + 2)]);
  assert.equal(withoutWebRtc(`${mixed.join("\r\n")}\r\n`), `${kept.join("\r\n")}\r\n`);
});

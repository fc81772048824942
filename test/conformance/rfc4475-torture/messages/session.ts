import { sip } from "../../wire.ts";

/** The session description most messages of RFC 4475 carry. */
export function session(host: string, time = "0 0"): string {
  return sip`
v=0
o=mhandley 29739 7272939 IN IP4 ${host}
s=-
c=IN IP4 ${host}
t=${time}
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
`;
}

import type { SipMessage } from "../message/message.ts";

/** Lower is better: 6xx first, then the lowest class, and inside 4xx those that tell the UE how to do better (RFC 3261 §16.7 step 6). */
function rank(status: number): number {
  if (status >= 600) return 0;
  const inClass = [401, 407, 415, 420, 484].includes(status) ? 0 : status === 503 || status === 408 ? 2 : 1;
  return Math.floor(status / 100) * 10 + inClass;
}

/** The final response to send upstream when every fork has ended; challenges of all forks are put together (RFC 3261 §16.7 step 7). */
export function bestResponse(responses: readonly SipMessage[]): SipMessage | undefined {
  let best: SipMessage | undefined;
  for (const response of responses)
    if (best === undefined || rank(response.status) < rank(best.status)) best = response;
  if (best !== undefined && (best.status === 401 || best.status === 407)) {
    for (const other of responses) {
      if (other === best || (other.status !== 401 && other.status !== 407)) continue;
      best.copy("WWW-Authenticate", other).copy("Proxy-Authenticate", other);
    }
  }
  return best;
}

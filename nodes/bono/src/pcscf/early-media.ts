import type { SipMessage } from "@ims/sip";
import type { PcscfModules } from "./modules.ts";

/**
 * A UE is outside the trust domain: what it says of early media is not believed, and the P-CSCF says what is allowed instead, to who has
 * said that he understands it (RFC 5009 §8.2, §8.3). Only answers that carry media.
 */
export function authoriseEarlyMedia(
  response: SipMessage,
  request: SipMessage,
  { earlyMedia = "" }: PcscfModules["settings"],
): void {
  if (earlyMedia === "" || response.status <= 100 || response.status >= 200) return;
  if (request.method !== "INVITE" || !understands(request) || !response.has("Content-Type")) return;
  response.append("P-Early-Media", earlyMedia);
}

function understands(request: SipMessage): boolean {
  return (
    request.has("P-Early-Media") &&
    /(?:^|,)\s*supported\s*(?:,|$)/i.test(request.header("P-Early-Media") ?? "")
  );
}

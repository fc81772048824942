import { isPsapCallback } from "@ims/ims";
import { HeaderSet, type SipMessage, splitList } from "@ims/sip";

/** What only the trust domain may say (TS 24.229 §4.4): taken off whatever a UE sends, in whatever spelling it came. */
const NOT_FROM_UE = new HeaderSet([
  "P-Asserted-Identity",
  "Remote-Party-ID",
  "P-Asserted-Service",
  "P-Charging-Vector",
  "P-Charging-Function-Addresses",
  "P-Served-User",
  "P-Profile-Key",
  "P-User-Database",
  "P-Visited-Network-ID",
  "P-Associated-URI",
  "P-Called-Party-ID",
  "P-Private-Network-Indication",
  "Path",
  "Service-Route",
  "History-Info",
  "Feature-Caps",
  "Resource-Priority",
  "Security-Client",
  "Security-Server",
  "Security-Verify",
  "Flow-Timer",
  "Relayed-Charge",
  "Restoration-Info",
  "Cellular-Network-Info",
  "Service-Interact-Info",
  "Response-Source",
  "Priority-Share",
  "Attestation-Info",
  "Origination-Id",
]);

/** What a UE, being outside the trust domain, must not learn (TS 24.229 §4.4, §5.2.6.3.4, §5.2.6.4.3, §5.2.10). */
const NOT_TO_UE = new HeaderSet([
  "P-Charging-Vector",
  "P-Charging-Function-Addresses",
  "P-Served-User",
  "P-Profile-Key",
  "P-User-Database",
  "P-Visited-Network-ID",
  "P-Access-Network-Info",
  "P-Private-Network-Indication",
  "Path",
  "Relayed-Charge",
  "Restoration-Info",
  "Cellular-Network-Info",
  "Service-Interact-Info",
  "Priority-Share",
  "Attestation-Info",
  "Origination-Id",
]);

/** Strips a request of a UE. Its Record-Route goes too: a UE is no proxy. */
export function stripRequestFromUe(request: SipMessage): void {
  strip(request);
  request.remove("Record-Route");
  // RFC 5009 §8: a UE may only say that it understands the header field.
  if (request.has("P-Early-Media") && request.header("P-Early-Media")?.toLowerCase() !== "supported")
    request.remove("P-Early-Media");
  // RFC 7090 §6.2: only a PSAP may ask for a way past the services of who is called.
  if (request.has("Priority") && request.values("Priority").some(isPsapCallback)) request.remove("Priority");
}

export function stripResponseFromUe(response: SipMessage): void {
  strip(response);
  response.remove("P-Preferred-Identity");
  response.remove("P-Early-Media");
}

/** Strips what goes to a UE; P-Asserted-Identity too when its owner asks for privacy (RFC 3325 §7, TS 24.229 §4.4.2). */
export function stripTowardsUe(message: SipMessage): void {
  message.removeAll(NOT_TO_UE);
  if (message.has("Privacy") && message.has("P-Asserted-Identity") && asksForPrivacy(message))
    message.remove("P-Asserted-Identity");
}

function strip(message: SipMessage): void {
  message.removeAll(NOT_FROM_UE);
  if (message.has("P-Access-Network-Info")) keepOwnAccessNetworkInfo(message);
}

/** TS 24.229 §5.2.1: values that claim to be network-provided are removed. */
function keepOwnAccessNetworkInfo(message: SipMessage): void {
  const kept = message
    .values("P-Access-Network-Info")
    .filter((value) => !/;\s*network-provided\s*(?:;|=|$)/i.test(value));
  message.remove("P-Access-Network-Info");
  if (kept.length > 0) message.append("P-Access-Network-Info", kept.join(", "));
}

/** RFC 3323 §4.2: priv-values are separated by ";". */
function asksForPrivacy(message: SipMessage): boolean {
  return message
    .values("Privacy")
    .flatMap((value) => splitList(value.replaceAll(";", ",")))
    .some((value) => value.toLowerCase() === "id");
}

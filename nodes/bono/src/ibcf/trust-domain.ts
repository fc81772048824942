import { isPsapCallback } from "@ims/ims";
import { HeaderSet, locateUri, parseUri, type SipMessage, splitList } from "@ims/sip";
import { numberOf } from "./numbers.ts";
import type { Peer } from "./peers.ts";

/** For the entities of one network only, whoever the peer is: TS 24.229 §4.4, §5.10.2.2, §5.10.3.2. */
const NEVER = [
  "P-Charging-Function-Addresses",
  "P-User-Database",
  "P-Profile-Key",
  "P-Served-User",
  "P-Associated-URI",
  "P-Called-Party-ID",
  "Path",
  "Service-Route",
  "Flow-Timer",
  "Security-Client",
  "Security-Server",
  "Security-Verify",
  "Relayed-Charge",
  "Restoration-Info",
  "Service-Interact-Info",
  "Priority-Share",
] as const;

/** What is said and believed inside a trust domain only: Spec(T) of TS 24.229 §4.4. */
const TRUSTED_ONLY = [
  "P-Asserted-Service",
  "P-Charging-Vector",
  "P-Visited-Network-ID",
  "P-Access-Network-Info",
  "P-Private-Network-Indication",
  "Cellular-Network-Info",
  "Response-Source",
  "Attestation-Info",
  "Origination-Id",
] as const;

const ACROSS_TRUSTED = new HeaderSet([...NEVER, "P-Preferred-Identity", "P-Preferred-Service"]);
const FROM_STRANGER = new HeaderSet([
  ...NEVER,
  ...TRUSTED_ONLY,
  ...(["P-Asserted-Identity", "P-Preferred-Identity", "P-Preferred-Service", "Remote-Party-ID"] as const),
  ...(["History-Info", "Feature-Caps", "Resource-Priority", "P-Early-Media"] as const),
]);
const TO_STRANGER = new HeaderSet([...NEVER, ...TRUSTED_ONLY, "Feature-Caps", "Resource-Priority"]);

/** Takes off what this peer may not say, and asserts who calls where it says so in its own way. */
export function screenFromPeer(message: SipMessage, peer: Peer): void {
  const asserted = peer.trusted || !message.isRequest ? undefined : assertedIdentity(message, peer);
  message.removeAll(peer.trusted ? ACROSS_TRUSTED : FROM_STRANGER);
  if (asserted !== undefined) message.append("P-Asserted-Identity", `<${asserted}>`);
  // RFC 7090 §6.2: who is not trusted is no PSAP, whose calls pass all services.
  if (!peer.trusted && message.has("Priority") && message.values("Priority").some(isPsapCallback))
    message.remove("Priority");
  for (const name of peer.removedHeaders) message.removeNamed(name);
}

/** Takes off what this peer must not learn; identities that want privacy too, outside the trust domain (TS 24.229 §4.4.2, RFC 3325 §7). */
export function screenTowardsPeer(message: SipMessage, peer: Peer): void {
  message.removeAll(peer.trusted ? ACROSS_TRUSTED : TO_STRANGER);
  if (!peer.trusted && message.has("Privacy")) {
    const wanted = privacyOf(message);
    if (wanted.has("id")) message.remove("P-Asserted-Identity").remove("Remote-Party-ID");
    // RFC 7044 §10.1
    if (wanted.has("history") || wanted.has("header")) message.remove("History-Info");
  }
  for (const name of peer.removedHeaders) message.removeNamed(name);
}

/** Among those that were agreed the number in P-Asserted-Identity, P-Preferred-Identity or From, else the usual one. */
function assertedIdentity(request: SipMessage, { identity }: Peer): string | undefined {
  const { numbers, usual } = identity;
  if (numbers.length === 0) return usual;
  const said = [
    request.top("P-Asserted-Identity"),
    request.top("P-Preferred-Identity"),
    request.header("From"),
  ];
  for (const value of said) {
    const located = value === undefined ? undefined : locateUri(value);
    const uri =
      value === undefined || located === undefined
        ? undefined
        : parseUri(value.slice(located.start, located.end));
    const digits = uri === undefined ? undefined : numberOf(uri)?.digits;
    if (digits !== undefined && numbers.some((prefix) => digits.startsWith(prefix))) return `tel:${digits}`;
  }
  return usual;
}

/** RFC 3323 §4.2: priv-values are separated by ";". */
function privacyOf(message: SipMessage): ReadonlySet<string> {
  const values = message.values("Privacy").flatMap((value) => splitList(value.replaceAll(";", ",")));
  return new Set(values.map((value) => value.toLowerCase()));
}

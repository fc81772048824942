import type { SipMessage } from "@ims/sip";

const CONTENT_TYPE = "application/3gpp-ims+xml";
const BODY = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<ims-3gpp version="1"><alternative-service><type>restoration</type>',
  "<reason>S-CSCF not reachable</reason><action>initial-registration</action></alternative-service></ims-3gpp>",
  "",
].join("\r\n");

/** Tells a UE that understands it to register anew: TS 24.229 §5.2.6.3.2A, §7.6. */
export function restorationBody(response: SipMessage, request: SipMessage): void {
  const understood = request
    .values("Accept")
    .some((value) => (value.split(";", 1)[0] ?? "").trim().toLowerCase() === CONTENT_TYPE);
  if (understood) response.setBody(BODY, CONTENT_TYPE);
}

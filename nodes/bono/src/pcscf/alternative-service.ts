import type { SipMessage } from "@ims/sip";

const CONTENT_TYPE = "application/3gpp-ims+xml";

/** What a UE is to do that cannot have its emergency call this way: TS 24.229 §7.6.2. */
export type AlternativeAction = "emergency-registration" | "none";

/**
 * 380 (Alternative Service) to an emergency request: TS 24.229 §5.2.10.4, §5.2.10.5, §7.6. Without an action the UE calls over the
 * circuit-switched domain, or whatever else it has. `service` is told in Contact: the UE may not know that it has dialled an emergency number.
 */
export function alternativeService(
  response: SipMessage,
  { action, reason, service, pcscf }: AlternativeService,
): void {
  const todo = action === "none" ? "" : `<action>${action}</action>`;
  response.append("Contact", `<${service}>`);
  response.append("P-Asserted-Identity", `<${pcscf}>`);
  response.setBody(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<ims-3gpp version="1"><alternative-service><type>emergency</type>',
      `<reason>${reason}</reason>${todo}</alternative-service></ims-3gpp>`,
      "",
    ].join("\r\n"),
    CONTENT_TYPE,
  );
}

export interface AlternativeService {
  readonly action: AlternativeAction;
  readonly reason: string;
  /** Service URN. */
  readonly service: string;
  /** Our URI as it stands in Path. */
  readonly pcscf: string;
}

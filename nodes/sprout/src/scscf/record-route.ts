import type { SipMessage } from "@ims/sip";

/** Dialogs begin with these, or targets are refreshed (RFC 3261 §16.6 step 4, RFC 6665, RFC 3515). */
const DIALOG_FORMING: ReadonlySet<string> = new Set(["INVITE", "SUBSCRIBE", "REFER", "NOTIFY", "UPDATE"]);

/**
 * Record-Route, once where the request has just come from another entity of this process, or back from an application server that
 * has not recorded itself: requests inside the dialog pass here anyway (one step handles both).
 */
export function recordRoute(forwarded: SipMessage, scscfUri: string): void {
  if (!DIALOG_FORMING.has(forwarded.method)) return;
  const own = `<${scscfUri};lr>`;
  if (forwarded.top("Record-Route") !== own) forwarded.prepend("Record-Route", own);
}

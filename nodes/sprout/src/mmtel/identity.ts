import { hash } from "node:crypto";
import type { InitialRequest, ServiceRequest } from "@ims/application-server";
import type { IdentityRestriction, Simservs } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import type { MmtelModules } from "./modules.ts";
import { ANONYMOUS, isAnonymousFrom, privacyOf, withoutOption } from "./privacy.ts";

/** In the user part of our Record-Route: From of requests from that end is not to be seen. */
const HIDES = "hides_";

/** OIR, TIP: TS 24.607 §4.5.2, TS 24.608 §4.5.2: what the AS of the caller does. */
export function originatingIdentity(
  context: InitialRequest,
  forwarded: SipMessage,
  simservs: Simservs,
  modules: MmtelModules,
): void {
  if (isRestricted(simservs.originatingIdentityRestriction, forwarded)) {
    modules.counters.mmtel("restricted");
    if (!privacyOf(forwarded).includes("id")) {
      const kept = privacyOf(forwarded);
      forwarded.set("Privacy", [...kept, "id"].join(";"));
    }
    hideFrom(context, forwarded);
  }
  if (simservs.terminatingIdentityPresentation !== false) return;
  withoutOption(forwarded, "from-change");
  context.onUpstream((response) => {
    if (response.status > 100 && response.status < 300)
      response.remove("P-Asserted-Identity").remove("Privacy");
  });
}

/** OIP, TIR: TS 24.607 §4.5.2, TS 24.608 §4.5.2: what the AS of who is called does. */
export function terminatingIdentity(
  context: InitialRequest,
  forwarded: SipMessage,
  simservs: Simservs,
): void {
  if (simservs.originatingIdentityPresentation === false) {
    forwarded.remove("P-Asserted-Identity").remove("Privacy");
    hideFrom(context, forwarded);
  }
  const restriction = simservs.terminatingIdentityRestriction;
  if (restriction?.active !== true) return;
  withoutOption(forwarded, "from-change");
  context.onUpstream((response) => {
    if (response.status <= 100 || response.status >= 300) return;
    if (isRestricted(restriction, response) && !privacyOf(response).includes("id"))
      response.set("Privacy", [...privacyOf(response), "id"].join(";"));
  });
}

/** The default of the service, unless the message says otherwise itself (temporary mode). */
function isRestricted(restriction: IdentityRestriction | undefined, message: SipMessage): boolean {
  if (restriction?.active !== true) return false;
  const said = privacyOf(message);
  if (said.includes("none")) return false;
  return restriction.restricted || said.some((each) => each === "id" || each === "user" || each === "header");
}

/** RFC 3323 §5.3, user level: From tells nothing on the other side; who sent it gets back what he wrote. */
function hideFrom(context: InitialRequest, forwarded: SipMessage): void {
  if (isAnonymousFrom(forwarded)) return;
  const mark = `${HIDES}${printOf(forwarded.fromTag)}`;
  anonymise(context, forwarded);
  if (forwarded.method === "INVITE" || forwarded.method === "SUBSCRIBE") context.recordRoute(forwarded, mark);
}

/** Requests inside a dialog: the same end is still not to be seen. */
export function hideInDialog(request: SipMessage, forwarded: SipMessage, context?: ServiceRequest): void {
  const user = request.routes[0]?.uri?.user ?? "";
  if (!user.startsWith(HIDES) || user.slice(HIDES.length) !== printOf(request.fromTag)) return;
  anonymise(context, forwarded);
}

function anonymise(context: ServiceRequest | undefined, forwarded: SipMessage): void {
  const from = forwarded.header("From") ?? "";
  forwarded.set("From", `${ANONYMOUS};tag=${forwarded.fromTag}`);
  context?.onUpstream((response) => void response.set("From", from));
}

/** Tells the tags of both ends of a dialog apart. */
function printOf(tag: string): string {
  return hash("sha256", tag, "hex").slice(0, 12);
}

import { hash } from "node:crypto";
import type { IdentityRestriction, Simservs } from "@ims/ims";
import type { RequestContext, SipMessage } from "@ims/sip";
import type { MmtelModules } from "./modules.ts";
import { ANONYMOUS, isAnonymousFrom, privacyOf, withoutOption } from "./privacy.ts";

/** In the user part of our Record-Route: From of requests from that end is not to be seen. */
const HIDES = "hides_";

/** OIR, TIP: TS 24.607 §4.5.2, TS 24.608 §4.5.2: what the AS of the caller does. */
export function originatingIdentity(
  context: RequestContext,
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
    hideFrom(context, forwarded, modules);
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
  context: RequestContext,
  forwarded: SipMessage,
  simservs: Simservs,
  modules: MmtelModules,
): void {
  if (simservs.originatingIdentityPresentation === false) {
    forwarded.remove("P-Asserted-Identity").remove("Privacy");
    hideFrom(context, forwarded, modules);
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
function hideFrom(context: RequestContext, forwarded: SipMessage, { options }: MmtelModules): void {
  if (isAnonymousFrom(forwarded)) return;
  const colon = options.uri.indexOf(":") + 1;
  const mark = `${HIDES}${printOf(forwarded.fromTag)}`;
  anonymise(context, forwarded);
  if (forwarded.method === "INVITE" || forwarded.method === "SUBSCRIBE")
    forwarded.prepend(
      "Record-Route",
      `<${options.uri.slice(0, colon)}${mark}@${options.uri.slice(colon)};lr>`,
    );
}

/** Requests inside a dialog: the same end is still not to be seen. */
export function hideInDialog(request: SipMessage, forwarded: SipMessage, context?: RequestContext): void {
  const user = request.routes[0]?.uri?.user ?? "";
  if (!user.startsWith(HIDES) || user.slice(HIDES.length) !== printOf(request.fromTag)) return;
  anonymise(context, forwarded);
}

function anonymise(context: RequestContext | undefined, forwarded: SipMessage): void {
  const from = forwarded.header("From") ?? "";
  forwarded.set("From", `${ANONYMOUS};tag=${forwarded.fromTag}`);
  context?.onUpstream((response) => void response.set("From", from));
}

/** Tells the tags of both ends of a dialog apart. */
function printOf(tag: string): string {
  return hash("sha256", tag, "hex").slice(0, 12);
}

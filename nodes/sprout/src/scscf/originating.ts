import { aliasesOf, canonicalImpu } from "@ims/ims";
import { parseUri, type RequestContext, type SipMessage } from "@ims/sip";
import { popOwnRoutes } from "../routing/own-route.ts";
import { addOrigIoi } from "./charging.ts";
import { isHome } from "./home.ts";
import type { ScscfModules } from "./modules.ts";
import { recordRoute } from "./record-route.ts";
import { assertedIdentities, originatingIdentity, type ServedUser, servedUser } from "./served-user.ts";
import { refuseForStore } from "./store-away.ts";

/** Initial request or standalone transaction from a served user: TS 24.229 §5.4.3.2. */
export async function originating(context: RequestContext, modules: ScscfModules): Promise<void> {
  const { options, counters } = modules;
  const { request } = context;
  const refuse = (status: number): void => {
    counters.session("originating", "refused");
    context.respond(status);
  };
  // 1. The served user: named, known and not barred.
  const impu = originatingIdentity(request);
  if (impu === undefined) return refuse(403);
  const user = await servedUser(modules, impu);
  if (user.kind === "unavailable") {
    counters.session("originating", "refused");
    return refuseForStore(context, user);
  }
  if (user.kind === "notFound" || user.registration.state !== "registered") return refuse(403);
  if (user.member.identity.barred) return refuse(403);

  // 2. Our Route goes, with what it said.
  const forwarded = context.forward();
  popOwnRoutes(forwarded, modules);
  forwarded.remove("P-Served-User");

  // 3. The other asserted identity, tel beside sip (step 8), and the originating IOI.
  addSecondIdentity(forwarded, user);
  addOrigIoi(forwarded, options.homeDomain);

  // 4. Stay on the path.
  recordRoute(context, forwarded, options.scscfUri);

  // 5. Where it goes: what is left of the Route; a home user's I-CSCF; else another network (steps 10 to 14).
  const remaining = forwarded.top("Route");
  counters.session("originating", "routed");
  if (remaining !== undefined)
    return void context.fork(forwarded, { destination: { kind: "uri", side: options.side } });
  const target = parseUri(forwarded.requestUri);
  if (target === undefined) return refuse(400);
  if (isHome(target, options)) {
    const icscf = parseUri(options.icscfUri);
    if (icscf === undefined) return refuse(500);
    context.fork(forwarded, { destination: { kind: "uri", side: options.side, uri: icscf } });
    return;
  }
  // A tel URI that ENUM does not translate belongs to the BGCF; there is none yet.
  if (target.scheme !== "sip" && target.scheme !== "sips") return refuse(404);
  if (!options.allowForeignDomains) return refuse(404);
  // What only the home network may know stays here (step 9, TS 24.229 §4.4).
  forwarded.remove("P-Access-Network-Info").remove("P-Charging-Function-Addresses");
  context.fork(forwarded, { destination: { kind: "uri", side: options.side } });
}

/** Step 8: a lone SIP URI is joined by the tel URI of its alias group, a lone tel URI by its SIP URI. */
function addSecondIdentity(request: SipMessage, user: ServedUser & { kind: "served" }): void {
  const asserted = assertedIdentities(request);
  const [only] = asserted;
  if (asserted.length !== 1 || only === undefined) return;
  const wanted = only.startsWith("tel:") ? "sip:" : "tel:";
  if (canonicalImpu(only) !== user.impu) return;
  const { profile } = user.registration;
  const other = aliasesOf(profile, user.member).find(
    ({ canonical, identity, wildcard }) =>
      wildcard === undefined && !identity.barred && canonical.startsWith(wanted),
  );
  // Without alias groups the identities of one set are not known to be the same person's number.
  if (other !== undefined) request.append("P-Asserted-Identity", `<${other.identity.identity}>`);
}

import { parsePServedUser } from "@ims/application-server";
import { aliasesOf, canonicalImpu, emergencyService, SessionCase } from "@ims/ims";
import { parseUri, popOwnRoutes, type RequestContext, type SipMessage } from "@ims/sip";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import type { Routed } from "../routing/numbers.ts";
import { isEmergencyOnly } from "../store/registration.ts";
import { addOrigIoi } from "./charging.ts";
import { isHome } from "./home.ts";
import type { ScscfModules } from "./modules.ts";
import type { OriginalDialog } from "./odi-token.ts";
import { proxyAuthenticate, removeOwnCredentials } from "./proxy-authentication.ts";
import { recordRoute } from "./record-route.ts";
import {
  assertedIdentities,
  originatingIdentity,
  profileKey,
  type ServedUser,
  servedUser,
} from "./served-user.ts";
import { type Chain, nextInChain } from "./service-chain.ts";
import { refuseForStore } from "./store-away.ts";
import { unregisteredUser } from "./unregistered.ts";

/** How a request came to be handled as originating, when it is not a new one of its served user. */
export interface Continued {
  /** Back from an application server: TS 24.229 §5.4.3.2 step 2. */
  readonly dialog?: OriginalDialog;
  /** The served user has diverted it: session case originating_CDIV, whoever the caller is (RFC 8498). */
  readonly divertedBy?: string;
}

/** Initial request or standalone transaction from a served user: TS 24.229 §5.4.3.2. */
export async function originating(
  context: RequestContext,
  modules: ScscfModules,
  { dialog, divertedBy }: Continued = {},
): Promise<void> {
  const { options, counters, filterCriteria } = modules;
  const { request } = context;
  const refuse = (status: number): void => {
    counters.session("originating", "refused");
    context.respond(status);
  };
  // 1. The served user: named, known and not barred.
  const named = dialog === undefined && divertedBy === undefined ? parsePServedUser(request) : undefined;
  const impu = dialog?.impu ?? divertedBy ?? originatingIdentity(request);
  if (impu === undefined) return refuse(403);
  const wildcard = dialog?.wildcard || profileKey(request);
  let user = await servedUser(modules, impu, wildcard);
  // Services of an unregistered user are for who is named by a node of the trust domain; a UE has to register.
  const mayBeUnregistered = dialog !== undefined || divertedBy !== undefined || named !== undefined;
  if (user.kind === "notFound" && mayBeUnregistered) user = await unregisteredUser(modules, impu, wildcard);
  if (user.kind === "unavailable" || user.kind === "hssBusy") {
    counters.session("originating", "refused");
    return user.kind === "hssBusy" ? refuseForBusyHss(context) : refuseForStore(context, user);
  }
  if (user.kind === "notFound") return refuse(403);
  modules.charging?.served(request, user.registration.charging);
  const registered = user.registration.state === "registered" && !isEmergencyOnly(user.registration);
  if (!registered && !mayBeUnregistered) return refuse(403);
  if (user.member.identity.barred && divertedBy === undefined) {
    context.decided("barred identity", { servedUser: user.impu });
    return refuse(403);
  }
  const isNew = dialog === undefined && divertedBy === undefined;
  const proves = isNew && request.has("Proxy-Authorization");
  if (proves && !(await proxyAuthenticate(context, modules, user.impu))) return;

  // 2. Our Route goes, with what it said. The session may have to be refreshed (§5.4.4.1, RFC 4028 §8).
  const interval = modules.sessionTimers?.of(request);
  if (interval?.kind === "refused") {
    counters.session("originating", "refused");
    return context.respond(422, interval);
  }
  const forwarded = context.forward();
  if (interval !== undefined) {
    interval.edit(forwarded);
    context.onUpstream(interval.answer);
  }
  popOwnRoutes(forwarded, modules);
  forwarded.remove("P-Served-User");
  if (proves) removeOwnCredentials(forwarded, options.homeDomain);

  // 3. The other asserted identity, tel beside sip (step 8), and the originating IOI.
  if (dialog === undefined && divertedBy === undefined) addSecondIdentity(forwarded, user);
  addOrigIoi(forwarded, options.homeDomain);

  // A local number or dial string is made global before services judge it; only the caller's home network knows what it means.
  const dialled =
    modules.numbers === undefined || forwarded.target === undefined
      ? undefined
      : modules.numbers.interpret(forwarded.target);
  if (dialled === "incomplete") return refuse(484);
  if (dialled !== undefined) {
    context.decided("dial plan", { dialled: forwarded.requestUri, uri: dialled });
    forwarded.requestUri = dialled;
  }

  // 4. The application servers that its filter criteria name (steps 4 to 6).
  const criteria = filterCriteria.of(user.member.profile);
  if (criteria === undefined) return routeOnward(context, modules, forwarded);
  forwarded.remove("P-Profile-Key");
  const diverts = divertedBy !== undefined || named?.sessionCase === "orig-cdiv";
  const usual = registered ? SessionCase.ORIGINATING_REGISTERED : SessionCase.ORIGINATING_UNREGISTERED;
  const chain: Chain = {
    user,
    wildcard: user.member.wildcard === undefined ? "" : user.member.canonical,
    criteria,
    sessionCase: dialog?.sessionCase ?? (diverts ? SessionCase.ORIGINATING_CDIV : usual),
    request: forwarded,
    finish: () => routeOnward(context, modules, forwarded.clone()),
  };
  nextInChain(context, modules, chain, dialog);
}

/** Where it goes when no application server (more) is to see it: TS 24.229 §5.4.3.2, steps 7 to 14. */
function routeOnward(context: RequestContext, modules: ScscfModules, forwarded: SipMessage): void {
  const { options, counters } = modules;
  const refuse = (status: number): void => {
    counters.session("originating", "refused");
    context.respond(status);
  };
  // 1. Stay on the path.
  recordRoute(forwarded, options.routedUri ?? options.scscfUri);

  // 2. What is left of the Route counts (step 10).
  const remaining = forwarded.top("Route");
  counters.session("originating", "routed");
  if (remaining !== undefined)
    return void context.fork(forwarded, { destination: { kind: "uri", side: options.side } });
  const target = forwarded.target;
  if (target === undefined) return refuse(400);

  // 3. Telephone numbers become what is known of them, else the Request-URI stays (step 10).
  const routed = modules.numbers?.route(target);
  if (routed === undefined || !("then" in routed)) return leave(context, modules, forwarded, routed);
  routed
    .then((answer) => {
      if (!context.cancelled && !context.answered) leave(context, modules, forwarded, answer);
    })
    .catch(() => refuse(500));
}

/** A home user's I-CSCF, the BGCF, or another network: TS 24.229 §5.4.3.2 steps 10 to 14. */
function leave(
  context: RequestContext,
  { options, counters }: ScscfModules,
  forwarded: SipMessage,
  routed?: Routed,
): void {
  const refuse = (status: number): void => {
    counters.session("originating", "refused");
    context.respond(status);
  };
  const to = (uri: string): void => {
    const entity = parseUri(uri);
    if (entity === undefined) return refuse(500);
    context.fork(forwarded, { destination: { kind: "uri", side: options.side, uri: entity } });
  };
  if (routed?.kind === "uri") forwarded.requestUri = routed.uri;
  if (routed !== undefined && routed.kind !== "as is")
    context.decided("ENUM", {
      asked: context.request.requestUri,
      answer: routed.kind === "uri" ? routed.uri : "not known",
    });
  const breakout = routed?.kind === "breakout" || (routed?.kind === "uri" && routed.breakout);
  const { bgcfUri = "" } = options;
  if (breakout && bgcfUri !== "") return to(bgcfUri);
  // A number that nobody knows where it is may still be that of a user of ours: the HSS decides.
  const target = forwarded.target;
  if (target !== undefined && (isHome(target, options) || target.scheme === "tel"))
    return to(options.externalIcscfUri || options.icscfUri);
  // An emergency request of an application server, or of a P-CSCF that has no E-CSCF.
  const { ecscfUri = "" } = options;
  if (target?.scheme === "urn" && ecscfUri !== "" && emergencyService(forwarded.requestUri) !== undefined)
    return to(ecscfUri);
  if (target?.scheme !== "sip" && target?.scheme !== "sips") return refuse(404);
  if (bgcfUri !== "") return to(bgcfUri);
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

import { canonicalImpu, emergencyService, telOfPhoneUri } from "@ims/ims";
import {
  locateUri,
  ownTopRoute,
  parseUri,
  popOwnRoutes,
  type RequestContext,
  type SipMessage,
} from "@ims/sip";
import type { LocationInfoOutcome } from "../cx/cx.ts";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import { charged, chargedServers } from "./charging.ts";
import type { IcscfModules } from "./modules.ts";

/** Initial request or standalone transaction at the I-CSCF: TS 24.229 §5.3.2. */
export async function terminating(context: RequestContext, modules: IcscfModules): Promise<void> {
  const { cx } = modules;
  const { request } = context;
  // 1. Who is to be found: the served user of an `orig` request (§5.3.2.1A), else the Request-URI.
  const originating = ownTopRoute(request, modules.own)?.parameters.has("orig") ?? false;
  const charges = charged(context, modules, originating ? "originating" : "terminating");
  const forwarded = context.forward();
  popOwnRoutes(forwarded, modules);
  if (!originating) translatePhoneUri(forwarded);
  const impu = originating ? servedIdentity(request) : calledIdentity(forwarded, modules);
  if (impu === undefined) {
    if (!originating && (breaksOut(context, modules, forwarded) || isEmergency(context, modules, forwarded)))
      return;
    return refuse(context, modules, originating ? 403 : 404);
  }

  // 2. Location query; for who is registered with the S-CSCF of this process the answer is known.
  const here = originating ? undefined : await modules.servedHere(impu);
  const outcome: LocationInfoOutcome =
    here === undefined
      ? await cx.locationInfo({ impu, originating })
      : { kind: "server", name: here, wildcard: undefined };
  const refusal = statusFor(outcome);
  if (refusal === 404 && !originating && breaksOut(context, modules, forwarded)) {
    charges?.queried({});
    return;
  }
  if (refusal !== undefined) return refuse(context, modules, refusal);
  if (context.cancelled || context.answered) return;
  const tried = new Set<string>();
  const name = serverOf(outcome, tried, modules);
  if (name === undefined || outcome.kind === "rejected" || outcome.kind === "unavailable")
    return refuse(context, modules, 504);
  charges?.queried(chargedServers(outcome, name));
  modules.counters.request("session", "routed");
  forwardTo(context, modules, { forwarded, originating, outcome, tried }, name);
}

/**
 * §5.3.2.1: a telephone number that is nobody's here goes to the BGCF. Only what our own S-CSCF sends: this network is no transit
 * for calls that others send to it.
 */
function breaksOut(
  context: RequestContext,
  { options, counters }: IcscfModules,
  forwarded: SipMessage,
): boolean {
  const uri = options.bgcfUri ? parseUri(options.bgcfUri) : undefined;
  if (uri === undefined || context.from !== "S-CSCF" || forwarded.target?.scheme !== "tel") return false;
  if (context.cancelled || context.answered) return true;
  counters.request("session", "routed");
  context.fork(forwarded, { destination: { kind: "uri", side: options.side, uri } });
  return true;
}

/** TS 23.167 §6.2: an emergency request of another network, or of a PBX that the IBCF trusts, goes to the E-CSCF. */
function isEmergency(
  context: RequestContext,
  { options, counters }: IcscfModules,
  forwarded: SipMessage,
): boolean {
  if (emergencyService(forwarded.requestUri) === undefined) return false;
  const uri = options.ecscfUri ? parseUri(options.ecscfUri) : undefined;
  if (uri === undefined) return false;
  counters.request("session", "routed");
  context.fork(forwarded, { destination: { kind: "uri", side: options.side, uri } });
  return true;
}

interface Located {
  readonly forwarded: SipMessage;
  readonly originating: boolean;
  readonly outcome: LocationInfoOutcome;
  readonly tried: Set<string>;
}

/** §5.3.2.1 and §5.3.2.2. */
function statusFor(outcome: LocationInfoOutcome): number | undefined {
  switch (outcome.kind) {
    case "server":
    case "capabilities":
      return undefined;
    case "unavailable":
      return outcome.busy ? 503 : 480;
    case "rejected":
      return outcome.reason === "identityNotRegistered" ? 480 : 404;
  }
}

function serverOf(
  outcome: LocationInfoOutcome,
  tried: ReadonlySet<string>,
  { selection }: IcscfModules,
): string | undefined {
  if (outcome.kind === "server") return tried.has(outcome.name) ? undefined : outcome.name;
  if (outcome.kind !== "capabilities") return undefined;
  return selection.candidates(outcome.capabilities, tried)[0];
}

/** The S-CSCF becomes the top Route (§5.3.2.1). */
function forwardTo(context: RequestContext, modules: IcscfModules, located: Located, name: string): void {
  const { options, counters } = modules;
  const { forwarded, originating, outcome, tried } = located;
  if (parseUri(name) === undefined) return refuse(context, modules, 504);
  tried.add(name);
  const request = forwarded.clone();
  const lr = /;lr(?:[;=?]|$)/i.test(name) ? name : `${name};lr`;
  request.prepend("Route", `<${lr}${originating ? ";orig" : ""}>`);
  if ("wildcard" in outcome && outcome.wildcard !== undefined)
    request.set("P-Profile-Key", `<${outcome.wildcard}>`);
  context.fork(request, {
    destination: { kind: "uri", side: options.side },
    onResponse: (response, _fork, local) => {
      // §5.3.2.2: an S-CSCF that cannot be reached is replaced by one with the right capabilities.
      if (!local || (response.status !== 408 && response.status !== 503) || context.cancelled)
        return "forward";
      counters.request("session", "reselected");
      reselect(context, modules, located).catch(() => context.respond(504));
      return "absorb";
    },
  });
}

async function reselect(context: RequestContext, modules: IcscfModules, located: Located): Promise<void> {
  let { outcome } = located;
  if (outcome.kind === "server") {
    const impu = located.originating
      ? servedIdentity(context.request)
      : calledIdentity(located.forwarded, modules);
    if (impu === undefined) return refuse(context, modules, 404);
    outcome = await modules.cx.locationInfo({
      impu,
      originating: located.originating,
      capabilities: true,
    });
    const refusal = statusFor(outcome);
    if (refusal !== undefined) return refuse(context, modules, refusal);
  }
  if (context.cancelled || context.answered) return;
  const name = serverOf(outcome, located.tried, modules);
  if (name === undefined) return refuse(context, modules, 504);
  forwardTo(context, modules, { ...located, outcome }, name);
}

/** §5.3.2.1: a SIP URI that is a telephone number is looked up, and sent on, as the tel URI. */
function translatePhoneUri(request: SipMessage): void {
  const tel = telOfPhoneUri(request.requestUri);
  if (tel !== undefined) request.requestUri = tel;
}

/** A GRUU, also a temporary one, is looked up by the identity it stands for (§5.3.2.1, RFC 5627 §4). */
function calledIdentity(request: SipMessage, { gruus }: IcscfModules): string | undefined {
  return gruus.resolve(request.requestUri)?.impu ?? canonicalImpu(request.requestUri);
}

function servedIdentity(request: SipMessage): string | undefined {
  const value = request.header("P-Served-User") ?? request.top("P-Asserted-Identity");
  if (value === undefined) return undefined;
  const located = locateUri(value);
  return located === undefined ? undefined : canonicalImpu(value.slice(located.start, located.end));
}

function refuse(context: RequestContext, { counters }: IcscfModules, status: number): void {
  counters.request("session", "refused");
  // Only an HSS that is too busy makes one here.
  if (status === 503) refuseForBusyHss(context);
  else context.respond(status);
}

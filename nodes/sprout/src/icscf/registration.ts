import { canonicalImpu, impiOfImpu, isEmergencyRegistration, isImpi } from "@ims/ims";
import {
  decimal,
  parseAuthorization,
  parseNameAddr,
  parseUri,
  popOwnRoutes,
  type RequestContext,
  type SipMessage,
  unquote,
} from "@ims/sip";
import type { ServerCapabilities, UserAuthorization, UserAuthorizationOutcome } from "../cx/cx.ts";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import { charged, chargedServers } from "./charging.ts";
import type { IcscfModules } from "./modules.ts";

/** REGISTER at the I-CSCF: TS 24.229 §5.3.1. */
export async function registration(context: RequestContext, modules: IcscfModules): Promise<void> {
  const { cx, options } = modules;
  const { request } = context;
  const charges = charged(context, modules, "originating");
  // 1. Who registers what from where (§5.3.1.2).
  const to = parseNameAddr(request.header("To") ?? "");
  const impu = to === undefined ? undefined : canonicalImpu(to.uriText);
  if (impu === undefined) return context.respond(400, { reason: "Bad Request (To)" });
  // RFC 4475 §3.3.7: credentials of an unknown scheme count as none.
  const value = request.values("Authorization").find((line) => /^Digest(?:\s|$)/i.test(line));
  const credentials = value === undefined ? undefined : parseAuthorization(value);
  if (value !== undefined && credentials === undefined)
    return context.respond(400, { reason: "Bad Request (Authorization)" });
  const impi = credentials?.username ?? impiOfImpu(impu);
  if (impi === undefined || !isImpi(impi)) return refuse(context, modules, 403);
  const query: UserAuthorization = {
    impi,
    impu,
    visitedNetwork: unquote(request.top("P-Visited-Network-ID") ?? options.homeDomain),
    type: deregisters(request) ? "deregistration" : "registration",
    // TS 29.228 §6.1.1: neither barring nor roaming stands in the way of an emergency.
    ...(isEmergencyRegistration(request.values("Contact")) ? { emergency: true } : {}),
  };

  // 2. User registration status query, unless it was answered for the challenge a moment ago.
  const known = options.reuseAuthorization ? modules.challenged.take(request.callId, query) : undefined;
  const asked: UserAuthorizationOutcome =
    known === undefined ? await cx.userAuthorization(query) : { kind: "server", name: known };
  // Nobody to deregister, perhaps because this very request has had its effect before it got its answer: the S-CSCF says 200 to
  // who proves himself; a challenge is not worth it (§5.3.1.2: 403).
  const over = asked.kind === "rejected" && asked.reason === "identityNotRegistered";
  const outcome: UserAuthorizationOutcome =
    over && query.type === "deregistration" ? { kind: "capabilities", capabilities: ANY } : asked;
  const refusal = statusFor(outcome);
  if (refusal !== undefined) return refuse(context, modules, refusal);
  // 3. To the S-CSCF named or selected.
  const tried = new Set<string>();
  const name = nextServer(outcome, tried, modules);
  // §5.3.1.3: nobody has the mandatory capabilities.
  if (name === undefined) return refuse(context, modules, 600);
  if (outcome.kind === "server" || outcome.kind === "capabilities")
    charges?.queried(chargedServers(outcome, name));
  modules.counters.request("registration", "routed");
  forwardTo(context, modules, { query, outcome, tried, over }, name);
}

const ANY: ServerCapabilities = { mandatory: [], optional: [], serverNames: [] };

interface Selection {
  readonly query: UserAuthorization;
  readonly outcome: UserAuthorizationOutcome;
  readonly tried: Set<string>;
  /** The HSS has it that nobody is registered, and somebody deregisters. */
  readonly over: boolean;
}

/** §5.3.1.2 and §5.3.1.3: what a query without an S-CSCF means to the UE. */
function statusFor(outcome: UserAuthorizationOutcome): number | undefined {
  switch (outcome.kind) {
    case "server":
    case "capabilities":
      return undefined;
    case "unavailable":
      return outcome.busy ? 503 : 480;
    case "rejected":
      return 403;
  }
}

function nextServer(
  outcome: UserAuthorizationOutcome,
  tried: ReadonlySet<string>,
  { selection }: IcscfModules,
): string | undefined {
  if (outcome.kind === "server") return tried.has(outcome.name) ? undefined : outcome.name;
  if (outcome.kind !== "capabilities") return undefined;
  return selection.candidates(outcome.capabilities, tried)[0];
}

function forwardTo(context: RequestContext, modules: IcscfModules, selected: Selection, name: string): void {
  const { options, counters } = modules;
  const uri = parseUri(name);
  if (uri === undefined) return refuse(context, modules, 504);
  selected.tried.add(name);
  const { outcome, query } = selected;
  const by = outcome.kind === "server" ? "the HSS" : "capabilities";
  context.decided("S-CSCF", { name, chosenBy: by, impi: query.impi, impu: query.impu });
  const forwarded = context.forward();
  popOwnRoutes(forwarded, modules);
  forwarded.requestUri = name;
  context.fork(forwarded, {
    destination: { kind: "uri", side: options.side, uri },
    timeoutMs: options.scscfTimeoutMs,
    onResponse: (response, _fork, local) => {
      if (response.status === 401 && selected.over) {
        refuse(context, modules, 403);
        return "absorb";
      }
      if (response.status === 401) modules.challenged.remember(context.request.callId, selected.query, name);
      // §5.3.1.3: no answer, 3xx or 480 makes us select another S-CSCF.
      const silent = local && (response.status === 408 || response.status === 503);
      const moved = response.status >= 300 && response.status < 400;
      if (!silent && !moved && response.status !== 480) return "forward";
      counters.request("registration", "reselected");
      reselect(context, modules, selected).catch(() => context.respond(504));
      return "absorb";
    },
  });
}

/** Another S-CSCF: the next that fits, after a query with capabilities when the first one was named by the HSS. */
async function reselect(context: RequestContext, modules: IcscfModules, selected: Selection): Promise<void> {
  let { outcome } = selected;
  if (outcome.kind === "server") {
    // TS 29.228 §6.1.1.1: capabilities although a name is stored.
    outcome = await modules.cx.userAuthorization({ ...selected.query, type: "registrationAndCapabilities" });
    const refusal = statusFor(outcome);
    if (refusal !== undefined) return refuse(context, modules, refusal);
  }
  if (context.cancelled || context.answered) return;
  const name = nextServer(outcome, selected.tried, modules);
  if (name === undefined) return refuse(context, modules, 504);
  forwardTo(context, modules, { ...selected, outcome }, name);
}

/** User-Authorization-Type: DE_REGISTRATION when every contact goes (§5.3.1.2, TS 29.228 §6.1.1). */
function deregisters(request: SipMessage): boolean {
  const header = request.header("Expires");
  const general = header === undefined ? undefined : decimal(header);
  const contacts = request.values("Contact");
  if (contacts.length === 0) return false;
  return contacts.every((value) => {
    if (value === "*") return general === 0;
    const stated = parseNameAddr(value)?.parameters.get("expires");
    return (stated === undefined ? general : decimal(stated)) === 0;
  });
}

function refuse(context: RequestContext, { counters }: IcscfModules, status: number): void {
  counters.request("registration", "refused");
  // Only an HSS that is too busy makes one here.
  if (status === 503) refuseForBusyHss(context);
  else context.respond(status);
}

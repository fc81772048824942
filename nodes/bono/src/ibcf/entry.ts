import { type Flow, type RequestContext, type SipMessage, uriToString } from "@ims/sip";
import { answerToPeer, enterVector } from "./charging-vector.ts";
import { refuse, refuseScreened } from "./exit.ts";
import { coreRecordRoute, hideRecordRoute, makesDialog } from "./hidden-path.ts";
import type { IbcfModules } from "./modules.ts";
import { enterNumber } from "./numbers.ts";
import type { Peer } from "./peers.ts";
import { popOwnRoutes } from "./routes.ts";
import { foreignBody, foreignMethod } from "./screening.ts";
import { screenFromPeer, screenTowardsPeer } from "./trust-domain.ts";

/** Initial requests and standalone transactions that enter our network: TS 24.229 §5.10.3.2. */
export function entry(context: RequestContext, peer: Peer, modules: IbcfModules): void {
  const { settings, own, charging, counters } = modules;
  const { request } = context;

  // 1. Nobody registers through a trunk (§5.10.3.1 is for roaming agreements, which there are none of).
  if (request.method === "REGISTER") return refuse(context, modules, 403, "register");

  // 2. A peer does not choose ways through our network, neither by Route nor as a strict router does (RFC 3261 §16.4): what follows
  // would take a Request-URI of its own with "lr" for a Route, and its "orig" for ours.
  const forward = context.forward();
  popOwnRoutes(forward, modules);
  const { target } = forward;
  const isRoute = target?.parameters.has("lr") === true && !own.isOurs(target);
  if (isRoute || forward.top("Route") !== undefined)
    return refuse(context, modules, 403, "foreignRoute", { reason: "Forbidden (Route)" });

  // 3. What was agreed (§5.10.6).
  const fault = foreignMethod(forward, peer) ?? foreignBody(forward, peer);
  if (fault !== undefined) return refuseScreened(context, modules, fault);

  // 4. What this peer may say, and who is called (§4.4).
  screenFromPeer(forward, peer);
  enterVector(forward, peer, modules);
  enterNumber(forward, peer, settings.homeDomain, (uri) => own.isOurs(uri));

  // 5. We stay in the path of what may become a dialog.
  const recorded = makesDialog(forward);
  if (recorded) forward.prepend("Record-Route", coreRecordRoute(peer, modules));

  // 6. To the I-CSCF, as an originating request where it is one of a subscriber of ours (§5.3.2.1A).
  const { served } = peer;
  if (served !== undefined) serve(forward, served, settings.homeDomain);
  forward.prepend("Route", `<${uriToString(settings.icscf)};lr${served === undefined ? "" : ";orig"}>`);
  counters.request("entry", "routed");
  const charged = charging?.initial(forward, served === undefined ? "terminating" : "originating");
  context.fork(forward, {
    destination: { kind: "uri", side: "core", uri: settings.icscf },
    onResponse: (response, _fork, local) => {
      charged?.sees(response);
      if (!local) answerTowardsPeer(response, { flow: context.flow, peer, recorded }, modules);
      return "forward";
    },
  });
}

/**
 * The served user is who was agreed (P-Served-User, RFC 5502), whatever the PBX says. Empty credentials make the S-CSCF ask for
 * his (§5.4.3.6).
 */
function serve(
  request: SipMessage,
  { user, authenticates }: { readonly user: string; readonly authenticates: boolean },
  realm: string,
): void {
  request.append("P-Served-User", `<${user}>;sescase=orig;regstate=unreg`);
  if (!request.has("P-Asserted-Identity")) request.append("P-Asserted-Identity", `<${user}>`);
  if (!authenticates) return;
  // Behind what the PBX shows: the first ones of our realm count, and without any these do.
  const empty = `Digest username="",realm="${realm}",nonce="",uri="sip:${realm}",response=""`;
  request.append("Proxy-Authorization", empty);
}

/** An answer on its way to a peer: what it must not learn is hidden. */
export function answerTowardsPeer(
  response: SipMessage,
  {
    flow,
    peer,
    recorded,
  }: { readonly flow: Pick<Flow, "protocol">; readonly peer: Peer; readonly recorded: boolean },
  modules: IbcfModules,
): void {
  const { settings } = modules;
  if (recorded) hideRecordRoute(response, settings.peerHostPort(flow.protocol.toLowerCase()), peer, modules);
  else response.remove("Record-Route");
  screenTowardsPeer(response, peer);
  answerToPeer(response, peer, settings);
}

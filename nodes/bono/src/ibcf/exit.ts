import { decimal, type RequestContext, type RespondOptions, type SipMessage, type Uri } from "@ims/sip";
import { answerOfPeer, leaveVector } from "./charging-vector.ts";
import {
  hiddenRoute,
  hideVias,
  makesDialog,
  peerRecordRoute,
  restoreRecordRoute,
  restoreVias,
} from "./hidden-path.ts";
import type { IbcfModules, IbcfRefusal } from "./modules.ts";
import { leaveNumber } from "./numbers.ts";
import type { Peer, TrunkTarget } from "./peers.ts";
import { popOwnRoutes } from "./routes.ts";
import { foreignBody, type ScreeningFault, screenAnswer } from "./screening.ts";
import { screenFromPeer, screenTowardsPeer } from "./trust-domain.ts";

/** Initial requests and standalone transactions that leave our network: TS 24.229 §5.10.2.2. */
export function exit(context: RequestContext, modules: IbcfModules): void {
  const { settings, trunks, charging, counters } = modules;

  // 1. Our Route goes. It names the peer, or the next Route or the Request-URI does.
  const forward = context.forward();
  const { peerName } = popOwnRoutes(forward, modules);
  const route = forward.routes[0]?.uri;
  const peer = peerFor(peerName, route ?? forward.target, modules);
  if (peer === undefined) return refuse(context, modules, 404, "noPeer", { reason: "Not Found (no peer)" });

  // 2. What may not go there does not (§5.10.6).
  const fault = foreignBody(forward, peer);
  if (fault !== undefined) return refuseScreened(context, modules, fault);

  // 3. Numbers as agreed, nothing that only we may know, IOI (§4.4, §7.2A.5).
  leaveNumber(forward, peer, settings.homeDomains);
  screenTowardsPeer(forward, peer);
  leaveVector(forward, peer, settings);

  // 4. Where to: a Route that somebody has chosen, the targets of the peer, else the Request-URI.
  const targets = route === undefined ? trunks.order(peer) : [];
  const next = route ?? targets[0]?.uri ?? forward.target;
  if (next === undefined || (next.scheme !== "sip" && next.scheme !== "sips"))
    return refuse(context, modules, 404, "noPeer", { reason: "Not Found (no target)" });
  if (modules.own.isOurs(next)) return refuse(context, modules, 482, "loop");

  // 5. Topology hiding (§5.10.4); whoever answers finds the way back through us.
  const user = makesDialog(forward)
    ? hiddenRoute(forward.callId, forward.values("Record-Route"), modules)
    : "";
  forward.remove("Record-Route");
  hideVias(forward, modules);

  counters.request("exit", "routed");
  const charged = charging?.initial(forward, "originating");
  attempt(
    { context, forward, peer, user, targets, next, see: (response) => charged?.sees(response) },
    modules,
  );
}

interface Leaving {
  readonly context: RequestContext;
  readonly forward: SipMessage;
  readonly peer: Peer;
  /** Of our Record-Route; "": none. */
  readonly user: string;
  /** Those not tried yet. */
  readonly targets: readonly TrunkTarget[];
  readonly next: Uri;
  readonly see: (response: SipMessage) => void;
}

/** One target after the other, as long as nobody has begun to answer (RFC 3263 §4.3). */
function attempt(leaving: Leaving, modules: IbcfModules): void {
  const { context, forward, peer, user, targets, next, see } = leaving;
  const { settings, trunks, counters } = modules;
  const [target, another, ...others] = targets;
  const request = another === undefined ? forward : forward.clone();
  if (user !== "") {
    const transport =
      next.parameters.get("transport")?.toLowerCase() ?? (next.scheme === "sips" ? "tls" : "");
    request.prepend("Record-Route", peerRecordRoute(user, settings.peerHostPort(transport), modules));
  }
  let rings = false;
  context.fork(request, {
    destination: { kind: "uri", side: "peer", uri: next },
    ...(another === undefined ? {} : { firstResponseMs: peer.answerMs }),
    onResponse: (response, _fork, local) => {
      const { status } = response;
      const failed = status === 503 || (local && status === 408 && !rings);
      if (failed && target !== undefined && !context.cancelled) {
        trunks.failed(peer, target, decimal(response.header("Retry-After")?.split(/[ ;(]/, 1)[0] ?? "") ?? 0);
        if (another !== undefined) {
          counters.failover();
          attempt({ ...leaving, targets: [another, ...others], next: another.uri }, modules);
          return "absorb";
        }
      } else if (target !== undefined && !local) trunks.answered(peer, target);
      rings ||= status > 100;
      answerFromPeer(response, { context, peer, user }, modules, local);
      see(response);
      return "forward";
    },
  });
}

/** An answer on its way into our network: what the peer must not touch or say is as it should be. */
export function answerFromPeer(
  response: SipMessage,
  {
    context: { request },
    peer,
    user,
  }: { readonly context: Pick<RequestContext, "request">; readonly peer: Peer; readonly user: string },
  modules: IbcfModules,
  local: boolean,
): void {
  restoreVias(response, request);
  if (local) return;
  if (user === "") response.remove("Record-Route");
  else restoreRecordRoute(response, { request, user, peer }, modules);
  screenFromPeer(response, peer);
  answerOfPeer(response, request, peer);
  screenAnswer(response, peer);
}

/** The peer named by our Route, reached by the next Route, or whose domain the Request-URI is of. */
function peerFor(name: string, uri: Uri | undefined, { peers }: IbcfModules): Peer | undefined {
  const { table } = peers;
  if (name !== "") return table.named(name);
  return uri === undefined ? undefined : table.towards(uri.host);
}

export function refuse(
  context: RequestContext,
  { counters }: IbcfModules,
  status: number,
  why: IbcfRefusal,
  options: RespondOptions = {},
): void {
  counters.request(context.flow.side === "peer" ? "entry" : "exit", "refused");
  counters.refused(why);
  context.respond(status, options);
}

export function refuseScreened(
  context: RequestContext,
  modules: IbcfModules,
  { status, why, header }: ScreeningFault,
): void {
  const edit = (response: SipMessage): void => {
    if (header !== undefined) response.append(header.name, header.value);
  };
  refuse(context, modules, status, why, { edit });
}

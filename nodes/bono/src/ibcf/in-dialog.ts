import { type AckContext, nextHop, type RequestContext, type SipMessage } from "@ims/sip";
import { enterVector, leaveVector } from "./charging-vector.ts";
import { answerTowardsPeer } from "./entry.ts";
import { answerFromPeer, refuse, refuseScreened } from "./exit.ts";
import { coreRecordRoute, hiddenRoute, hideVias, makesDialog, peerRecordRoute } from "./hidden-path.ts";
import type { IbcfModules, IbcfRefusal } from "./modules.ts";
import { type Peer, STRANGER } from "./peers.ts";
import { popOwnRoutes } from "./routes.ts";
import { foreignBody, foreignMethod } from "./screening.ts";
import { screenFromPeer, screenTowardsPeer } from "./trust-domain.ts";

/** Requests inside a dialog that leave our network: TS 24.229 §5.10.2.3. */
export function leaveInDialog(context: RequestContext, modules: IbcfModules): void {
  const forward = context.forward();
  const peer = screenLeaving(forward, modules);
  if (peer === undefined) return refuse(context, modules, 482, "loop");
  const fault = foreignBody(forward, peer);
  if (fault !== undefined) return refuseScreened(context, modules, fault);
  leaveVector(forward, peer, modules.settings);
  // Our Record-Route is there already, but for a NOTIFY that makes the dialog.
  const user = makesDialog(forward)
    ? hiddenRoute(forward.callId, forward.values("Record-Route"), modules)
    : "";
  forward.remove("Record-Route");
  if (user !== "") {
    const transport = nextHop(forward)?.parameters.get("transport")?.toLowerCase() ?? "";
    const hostPort = modules.settings.peerHostPort(transport);
    forward.prepend("Record-Route", peerRecordRoute(user, hostPort, modules));
  }
  hideVias(forward, modules);
  const charged = modules.charging?.inDialog(forward);
  context.fork(forward, {
    destination: { kind: "uri", side: "peer" },
    onResponse: (response, _fork, local) => {
      answerFromPeer(response, { context, peer, user }, modules, local);
      charged?.sees(response);
      return "forward";
    },
  });
}

/** Requests of a peer inside a dialog: TS 24.229 §5.10.3.3. Only on a way that we have sealed for this dialog. */
export function enterInDialog(context: RequestContext, peer: Peer, modules: IbcfModules): void {
  const forward = context.forward();
  const refusal = admitInDialog(forward, modules);
  if (refusal !== undefined) return refuse(context, modules, 403, refusal, { stateless: true });
  const fault = foreignMethod(forward, peer) ?? foreignBody(forward, peer);
  if (fault !== undefined) return refuseScreened(context, modules, fault);
  screenFromPeer(forward, peer);
  if (peer.trusted && forward.has("P-Charging-Vector")) enterVector(forward, peer, modules);
  const recorded = makesDialog(forward);
  forward.remove("Record-Route");
  if (recorded) {
    forward.copy("Record-Route", context.request);
    forward.prepend("Record-Route", coreRecordRoute(peer, modules));
  }
  const charged = modules.charging?.inDialog(forward);
  context.fork(forward, {
    destination: { kind: "uri", side: "core" },
    onResponse: (response, _fork, local) => {
      charged?.sees(response);
      if (!local) answerTowardsPeer(response, { flow: context.flow, peer, recorded }, modules);
      return "forward";
    },
  });
}

/** ACK of a 2xx. Nobody can be told when it cannot go on. */
export function acknowledgeToPeer(context: AckContext, modules: IbcfModules): void {
  const forward = context.forward();
  const peer = screenLeaving(forward, modules);
  if (peer === undefined) return modules.counters.refused("loop");
  forward.remove("Record-Route");
  hideVias(forward, modules);
  context.send(forward, { kind: "uri", side: "peer" });
}

export function acknowledgeFromPeer(context: AckContext, peer: Peer, modules: IbcfModules): void {
  const forward = context.forward();
  const refusal = admitInDialog(forward, modules);
  if (refusal !== undefined) return modules.counters.refused(refusal);
  screenFromPeer(forward, peer);
  context.send(forward, { kind: "uri", side: "core" });
}

/** Takes our Route off and what only we may know; undefined when it would come back to us. */
function screenLeaving(forward: SipMessage, modules: IbcfModules): Peer | undefined {
  const { peerName } = popOwnRoutes(forward, modules);
  // A peer that is in the file no more ends its dialogs as a stranger.
  const peer = modules.peers.table.named(peerName) ?? STRANGER;
  const next = nextHop(forward);
  if (next === undefined || modules.own.isOurs(next)) return undefined;
  screenTowardsPeer(forward, peer);
  return peer;
}

/** Puts the way that our Record-Route stands for in the place of it. */
function admitInDialog(
  forward: SipMessage,
  { own, hiding, isCoreHost }: IbcfModules,
): IbcfRefusal | undefined {
  const { token } = popOwnRoutes(forward, { own });
  if (token === undefined || forward.top("Route") !== undefined) return "foreignRoute";
  const routes = hiding.open("route", forward.callId, token);
  if (routes === undefined) return "forgedToken";
  if (routes !== "") {
    forward.append("Route", routes);
    return undefined;
  }
  // Nobody of our network stays in this dialog but who called: no relay to elsewhere.
  const next = nextHop(forward);
  return next !== undefined && isCoreHost(next.host) ? undefined : "foreignRoute";
}

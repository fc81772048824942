import type { AckContext, RequestContext, SipMessage, Target } from "@ims/sip";
import type { PcscfModules } from "./modules.ts";

type Members = Pick<PcscfModules, "siblingTargets" | "siblings">;

/**
 * A request for a connection of another member of the pool: it came here because whoever sent it takes that member for dead, or
 * did so until now. The member itself knows. False when the Route names no other member.
 */
export function handToSibling(context: RequestContext, members: Members): boolean {
  const targets = namedSibling(context, members);
  if (targets.length === 0) return false;
  ask(context, targets, 0);
  return true;
}

/**
 * A request inside a dialog for a connection of ours that is gone, as after a restart: its UE may have registered over another
 * member since, which finds it by the name in the Route (RFC 5626 §4.2). The members are asked one after the other. False when
 * there are none, or one of them is asking.
 */
export function askSiblings(context: RequestContext, { siblings }: Members): boolean {
  const others = siblings();
  if (others.length === 0 || isFrom(context, others)) return false;
  ask(context, others, 0);
  return true;
}

/** The same for an ACK: nobody tells whether it has arrived, so all get it, and those whom it does not concern drop it. */
export function handAckToSibling(context: AckContext, members: Members): void {
  const named = namedSibling(context, members);
  const others = named.length > 0 ? named : members.siblings();
  if (isFrom(context, members.siblings())) return;
  for (const target of others)
    context.send(context.forward(), { kind: "targets", side: "core", targets: [target] });
}

function namedSibling(context: RequestContext | AckContext, { siblingTargets }: Members): readonly Target[] {
  const host = context.request.routes[0]?.uri?.host;
  const targets = host === undefined ? [] : siblingTargets(host);
  return isFrom(context, targets) ? [] : targets;
}

/**
 * A request that another member has handed over, as it would have come from its sender. So an INVITE that came by both ways, because
 * its sender took us for dead and was wrong, leaves with one branch: its UE takes it for a retransmission, not for another
 * request (RFC 3261 §8.2.2.2), and answers the one that came last.
 */
export function withoutSibling(context: RequestContext, forward: SipMessage, { siblings }: Members): void {
  if (context.request.method === "INVITE" && isFrom(context, siblings()))
    forward.replaceTop("Via", undefined);
}

function isFrom({ flow }: RequestContext | AckContext, targets: readonly Target[]): boolean {
  return targets.some(({ address }) => address === flow.remoteAddress);
}

function ask(context: RequestContext, targets: readonly Target[], index: number): void {
  const target = targets[index];
  if (target === undefined) return context.respond(430, { reason: "Flow Failed" });
  context.fork(context.forward(), {
    destination: { kind: "targets", side: "core", targets: [target] },
    onResponse: ({ status }, _fork, local) => {
      if (local ? status !== 503 : status !== 430) return "forward";
      ask(context, targets, index + 1);
      return "absorb";
    },
  });
}

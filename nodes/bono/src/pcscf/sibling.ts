import type { AckContext, RequestContext } from "@ims/sip";
import type { PcscfModules } from "./modules.ts";
import { firstRoute } from "./routes.ts";

/**
 * A request for a connection of another member of the pool: it came here because whoever sent it takes that member for dead, or
 * did so until now. The member itself knows. False when the Route names no other member.
 */
export function handToSibling(context: RequestContext, { siblingTargets }: PcscfModules): boolean {
  const host = firstRoute(context.request)?.host;
  const targets = host === undefined ? [] : siblingTargets(host);
  if (targets.length === 0) return false;
  context.fork(context.forward(), {
    destination: { kind: "targets", side: "core", targets },
    onResponse: (response, _fork, local) => {
      if (!local || response.status !== 503) return "forward";
      context.respond(430, { reason: "Flow Failed" });
      return "absorb";
    },
  });
  return true;
}

/** The same for an ACK. */
export function handAckToSibling(context: AckContext, { siblingTargets }: PcscfModules): void {
  const host = firstRoute(context.request)?.host;
  const targets = host === undefined ? [] : siblingTargets(host);
  if (targets.length > 0) context.send(context.forward(), { kind: "targets", side: "core", targets });
}

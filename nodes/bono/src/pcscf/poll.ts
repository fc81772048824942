import { type RequestContext, SIP_METHODS, type SipMessage } from "@ims/sip";
import type { PcscfModules } from "./modules.ts";

/** Is this OPTIONS meant for the P-CSCF itself (RFC 3261 §11)? */
export function isPoll(request: SipMessage, { own }: PcscfModules): boolean {
  if (request.method !== "OPTIONS" || request.toTag !== "") return false;
  const target = request.target;
  if (target === undefined || target.user !== "" || own.sideOf(target) === undefined) return false;
  const route = request.routes[0]?.uri;
  return route === undefined || (route.user === "" && own.sideOf(route) !== undefined);
}

/** RFC 3261 §11.2: how peers and UEs find out that we live. */
export function answerPoll(context: RequestContext, { sources, counters }: PcscfModules): void {
  if (context.flow.side === "access" && !sources.admit(context.flow.remoteAddress)) {
    counters.refused("sourceLimit");
    return context.respond(503, {
      stateless: true,
      edit: (response) => void response.append("Retry-After", "1"),
    });
  }
  context.respond(200, {
    edit: (response) => {
      response.append("Allow", SIP_METHODS.join(", "));
      response.append("Accept", "application/sdp");
      response.append("Supported", "path, outbound");
    },
  });
}

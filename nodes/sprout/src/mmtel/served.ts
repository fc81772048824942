import { canonicalImpu } from "@ims/ims";
import { locateUri, type SipMessage } from "@ims/sip";
import { type Own, ownTopRoute } from "../routing/own-route.ts";
import { parsePServedUser } from "../scscf/p-served-user.ts";

/** For whom services are performed: TS 24.229 §5.7.1.3A. */
export interface Served {
  /** Canonical. */
  readonly impu: string;
  readonly part: "originating" | "terminating" | "diverting";
  readonly registered: boolean;
}

/**
 * P-Served-User (RFC 5502); of an S-CSCF that sends none, the asserted caller when its Route says orig, else who is called.
 * Undefined: nobody.
 */
export function servedBy(request: SipMessage, own: Own): Served | undefined {
  const named = parsePServedUser(request);
  const impu = named?.impu;
  const originates =
    named?.sessionCase === undefined ? returnsToOriginating(request, own) : named.sessionCase === "orig";
  if (impu !== undefined) {
    const registered = named?.registered ?? true;
    if (named?.sessionCase === "orig-cdiv") return { impu, part: "diverting", registered };
    return { impu, part: originates ? "originating" : "terminating", registered };
  }
  if (!originates) {
    const called = canonicalImpu(request.requestUri);
    return called === undefined ? undefined : { impu: called, part: "terminating", registered: true };
  }
  const [caller] = assertedCallers(request);
  return caller === undefined ? undefined : { impu: caller, part: "originating", registered: true };
}

/** Canonical identities that the network vouches for. */
export function assertedCallers(request: SipMessage): readonly string[] {
  return request
    .values("P-Asserted-Identity")
    .map((value) => {
      const located = locateUri(value);
      return located && canonicalImpu(value.slice(located.start, located.end));
    })
    .filter((each) => each !== undefined);
}

/** The Route below ours leads back to the S-CSCF. */
function returnsToOriginating(request: SipMessage, own: Own): boolean {
  const below = ownTopRoute(request, own) === undefined ? request.routes[0] : request.routes[1];
  return below?.uri?.parameters.has("orig") ?? false;
}

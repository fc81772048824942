import { canonicalImpu } from "@ims/ims";
import { locateUri, type Own, ownTopRoute, type SipMessage } from "@ims/sip";
import { parsePServedUser } from "./p-served-user.ts";

/** For whom services are performed: TS 24.229 §5.7.1.3A. */
export interface ServedUser {
  /** Canonical. */
  readonly impu: string;
  /** "orig-cdiv": on behalf of who has diverted the call (RFC 8498). */
  readonly sessionCase: "orig" | "term" | "orig-cdiv";
  readonly registered: boolean;
}

/**
 * P-Served-User (RFC 5502); of an S-CSCF that sends none, the asserted caller when its Route says orig, else who is called.
 * Undefined: nobody.
 */
export function servedBy(request: SipMessage, own: Own): ServedUser | undefined {
  const named = parsePServedUser(request);
  const impu = named?.impu;
  const originates =
    named?.sessionCase === undefined ? returnsToOriginating(request, own) : named.sessionCase === "orig";
  if (impu !== undefined) {
    const registered = named?.registered ?? true;
    if (named?.sessionCase === "orig-cdiv") return { impu, sessionCase: "orig-cdiv", registered };
    return { impu, sessionCase: originates ? "orig" : "term", registered };
  }
  if (!originates) {
    const called = canonicalImpu(request.requestUri);
    return called === undefined ? undefined : { impu: called, sessionCase: "term", registered: true };
  }
  const [caller] = assertedCallers(request);
  return caller === undefined ? undefined : { impu: caller, sessionCase: "orig", registered: true };
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

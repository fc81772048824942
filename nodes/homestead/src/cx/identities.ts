import { cxResult } from "@ims/diameter/cx";
import { canonicalImpu, matchesWildcard } from "@ims/ims";
import { type Hss, whenFound } from "../hss/hss.ts";
import { identityOf, type Subscriber, type SubscriberIdentity } from "../hss/subscriber.ts";

export type Refusal = ReturnType<typeof cxResult>;

/** The subscriber and the identity that a request names. */
export type Served = {
  readonly kind: "served";
  readonly subscriber: Subscriber;
  readonly identity: SubscriberIdentity;
};
export type ServedOrRefused = Served | { readonly kind: "refused"; readonly answer: Refusal };

const userUnknown: ServedOrRefused = { kind: "refused", answer: cxResult("ERROR_USER_UNKNOWN") };
const dontMatch: ServedOrRefused = { kind: "refused", answer: cxResult("ERROR_IDENTITIES_DONT_MATCH") };

/**
 * Steps 1 and 2 of UAR, MAR and SAR (TS 29.228 §6.1.1.1, §6.3.1, §6.1.2.1): both identities exist, and belong together.
 */
export function bothIdentities(
  hss: Hss,
  userName: string,
  publicIdentity: string,
): ServedOrRefused | Promise<ServedOrRefused> {
  const canonical = canonicalImpu(publicIdentity);
  if (canonical === undefined) return userUnknown;
  return whenFound(hss.byPrivateIdentity(impiKey(userName)), (subscriber) => {
    const identity = subscriber && identityOf(subscriber, canonical, matchesWildcard);
    if (subscriber !== undefined && identity !== undefined) return { kind: "served", subscriber, identity };
    if (subscriber === undefined) return userUnknown;
    return whenFound(hss.byPublicIdentity(canonical), (other) =>
      other === undefined ? userUnknown : dontMatch,
    );
  }) as ServedOrRefused | Promise<ServedOrRefused>;
}

/** By public identity alone (LIR, and SAR of an unregistered user). */
export function publicIdentityOnly(
  hss: Hss,
  publicIdentity: string,
): ServedOrRefused | Promise<ServedOrRefused> {
  const canonical = canonicalImpu(publicIdentity);
  if (canonical === undefined) return userUnknown;
  return whenFound(hss.byPublicIdentity(canonical), (subscriber): ServedOrRefused => {
    const identity = subscriber && identityOf(subscriber, canonical, matchesWildcard);
    if (subscriber === undefined || identity === undefined) return userUnknown;
    return { kind: "served", subscriber, identity };
  });
}

/** By private identity alone (SAR that names no public one): its default identity stands for the set. */
export function privateIdentityOnly(hss: Hss, userName: string): ServedOrRefused | Promise<ServedOrRefused> {
  return whenFound(hss.byPrivateIdentity(impiKey(userName)), (subscriber): ServedOrRefused => {
    const identity = subscriber?.identities.find(({ barred }) => !barred) ?? subscriber?.identities[0];
    if (subscriber === undefined || identity === undefined) return userUnknown;
    return { kind: "served", subscriber, identity };
  });
}

/** Private identities are compared with their realm in lower case (RFC 4282 §2.4). */
export function impiKey(impi: string): string {
  const at = impi.lastIndexOf("@");
  return at < 0 ? impi : impi.slice(0, at) + impi.slice(at).toLowerCase();
}

/** Goes on with the served user, or with the refusal. */
export function serve<A>(
  lookup: ServedOrRefused | Promise<ServedOrRefused>,
  then: (served: Served) => A,
): A | Refusal | Promise<A | Refusal> {
  const go = (found: ServedOrRefused): A | Refusal => (found.kind === "served" ? then(found) : found.answer);
  return lookup instanceof Promise ? lookup.then(go) : go(lookup);
}

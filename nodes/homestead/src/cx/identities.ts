import { ResultCode } from "@ims/diameter";
import { cxResult } from "@ims/diameter/cx";
import { canonicalImpu, matchesWildcard } from "@ims/ims";
import {
  type Eventually,
  type Found,
  type Hss,
  type Lookups,
  type StateChange,
  UNAVAILABLE,
  when,
} from "../hss/hss.ts";
import { eachSetOf } from "../hss/stored.ts";
import { identityOf, type Subscriber, type SubscriberIdentity } from "../hss/subscriber.ts";

export type Refusal = ReturnType<typeof cxResult> | { readonly resultCode: number };

/** The subscriber and the identity that a request names. */
export type Served = {
  readonly kind: "served";
  readonly subscriber: Subscriber;
  readonly identity: SubscriberIdentity;
};
export type ServedOrRefused = Served | { readonly kind: "refused"; readonly answer: Refusal };

const userUnknown: ServedOrRefused = { kind: "refused", answer: cxResult("ERROR_USER_UNKNOWN") };
/** The database does not answer: TS 29.228 §6.1.1.1 and its like. */
const unableToComply: ServedOrRefused & { readonly kind: "refused" } = {
  kind: "refused",
  answer: { resultCode: ResultCode.UNABLE_TO_COMPLY },
};
const dontMatch: ServedOrRefused = { kind: "refused", answer: cxResult("ERROR_IDENTITIES_DONT_MATCH") };

/**
 * Steps 1 and 2 of UAR, MAR and SAR (TS 29.228 §6.1.1.1, §6.3.1, §6.1.2.1): both identities exist, and belong together.
 */
export function bothIdentities(
  hss: Lookups,
  userName: string,
  publicIdentity: string,
): Eventually<ServedOrRefused> {
  const canonical = canonicalImpu(publicIdentity);
  if (canonical === undefined) return userUnknown;
  return when(hss.byPrivateIdentity(impiKey(userName)), (subscriber): Eventually<ServedOrRefused> => {
    if (subscriber === undefined) return userUnknown;
    const served = servedInOneSet(subscriber, canonical);
    if (served !== undefined) return served;
    return when(hss.byPublicIdentity(canonical), (other) => {
      if (other === UNAVAILABLE) return unableToComply;
      return other === undefined ? userUnknown : dontMatch;
    });
  });
}

/** By public identity alone (LIR, and SAR of an unregistered user). */
export function publicIdentityOnly(hss: Lookups, publicIdentity: string): Eventually<ServedOrRefused> {
  const canonical = canonicalImpu(publicIdentity);
  if (canonical === undefined) return userUnknown;
  return when(hss.byPublicIdentity(canonical), (subscriber) =>
    subscriber === undefined ? userUnknown : (servedAs(subscriber, canonical) ?? userUnknown),
  );
}

/** By private identity alone (SAR that names no public one): its default identity stands for all its sets. */
export function privateIdentityOnly(hss: Lookups, userName: string): Eventually<ServedOrRefused> {
  return when(hss.byPrivateIdentity(impiKey(userName)), (found): ServedOrRefused => {
    if (found === undefined) return userUnknown;
    if (found === UNAVAILABLE) return unableToComply;
    const subscriber = found.part?.subscription.ofPrivateAsWhole(found.impi) ?? found;
    const identity = subscriber.identities.find(({ barred }) => !barred) ?? subscriber.identities[0];
    return identity === undefined ? userUnknown : { kind: "served", subscriber, identity };
  });
}

/** The same in that of the sets of a private identity which has the identity. */
function servedInOneSet(found: Exclude<Found, undefined>, canonical: string): ServedOrRefused | undefined {
  if (found === UNAVAILABLE || found.part === undefined) return servedAs(found, canonical);
  const views = eachSetOf(found);
  // An exact identity goes before a wildcard of another set.
  const exact = views.find(({ identities }) => identities.some((one) => one.canonical === canonical));
  if (exact !== undefined) return servedAs(exact, canonical);
  for (const view of views) {
    const served = servedAs(view, canonical);
    if (served !== undefined) return served;
  }
  return undefined;
}

/** Further identities that one request names: a change is about their sets too. */
export function together(served: Served, publicIdentities: readonly string[]): Served {
  const { subscriber } = served;
  const { part } = subscriber;
  if (part === undefined || publicIdentities.length < 2) return served;
  const { subscription, onBehalfOf } = part;
  const named = new Set(publicIdentities.map((one) => canonicalImpu(one)));
  const scope = new Set(part.scope);
  for (const { id, profiles } of subscription.sets)
    if (profiles.some(({ identities }) => identities.some(({ canonical }) => named.has(canonical)))) {
      const mayRegister = subscription.privateIdentities.some(
        ({ impi, sets }) => onBehalfOf.includes(impi) && sets.includes(id),
      );
      if (mayRegister) scope.add(id);
    }
  return { ...served, subscriber: { ...subscriber, part: { ...part, scope: [...scope] } } };
}

/** Undefined when the identity is not one of the subscriber's. */
function servedAs(subscriber: Exclude<Found, undefined>, canonical: string): ServedOrRefused | undefined {
  if (subscriber === UNAVAILABLE) return unableToComply;
  const identity = identityOf(subscriber, canonical, matchesWildcard);
  return identity && { kind: "served", subscriber, identity };
}

/** Private identities are compared with their realm in lower case (RFC 4282 §2.4). */
export function impiKey(impi: string): string {
  const at = impi.lastIndexOf("@");
  return at < 0 ? impi : impi.slice(0, at) + impi.slice(at).toLowerCase();
}

/** Goes on with the served user, or with the refusal. */
export function serve<A>(
  lookup: Eventually<ServedOrRefused>,
  then: (served: Served) => Eventually<A | Refusal>,
): Eventually<A | Refusal> {
  return when(lookup, (found) => (found.kind === "served" ? then(found) : found.answer));
}

/** What a procedure answers, and what must be saved before it may be answered. */
export type Decision<A> = { readonly answer: A; readonly change?: StateChange };

/** Each lost round means that another homestead won it, and who wins once is quicker the next time too. */
const ROUNDS = 24;

/**
 * A procedure that may change the subscriber that `name` names: it decides on the state as it is; when that was changed
 * before its own change is saved, it decides again. `decide` must have no effects of its own.
 */
export function serveAndSave<A>(
  hss: Hss,
  name: string,
  find: (lookups: Lookups) => Eventually<ServedOrRefused>,
  decide: (served: Served) => Decision<A>,
): Eventually<A | Refusal> {
  const { recent } = hss;
  const procedure = (): Eventually<A | Refusal> =>
    recent === undefined ? attempt(hss, find, decide, ROUNDS) : attemptEarly(hss, recent, find, decide);
  return when(hss.inTurn(name, procedure), (answer) =>
    answer === UNAVAILABLE ? unableToComply.answer : answer,
  );
}

/** Without reading first: what was seen a moment ago is mostly still so, and only the save can tell. */
function attemptEarly<A>(
  hss: Hss,
  recent: Lookups,
  find: (lookups: Lookups) => Eventually<ServedOrRefused>,
  decide: (served: Served) => Decision<A>,
): Eventually<A | Refusal> {
  return when(find(recent), (found): Eventually<A | Refusal> => {
    const decision = found.kind === "served" ? decide(found) : undefined;
    // An answer that saves nothing is not given on the word of a memory.
    if (found.kind !== "served" || decision?.change === undefined) return attempt(hss, find, decide, ROUNDS);
    const { answer } = decision;
    return when(hss.save(found.subscriber, decision.change), (saved): Eventually<A | Refusal> => {
      if (saved === "overtaken") return attempt(hss, find, decide, ROUNDS);
      return saved === "saved" ? answer : unableToComply.answer;
    });
  });
}

function attempt<A>(
  hss: Hss,
  find: (lookups: Lookups) => Eventually<ServedOrRefused>,
  decide: (served: Served) => Decision<A>,
  rounds: number,
): Eventually<A | Refusal> {
  return serve(find(hss), (served): Eventually<A | Refusal> => {
    const { answer, change } = decide(served);
    if (change === undefined) return answer;
    return when(hss.save(served.subscriber, change), (saved): Eventually<A | Refusal> => {
      if (saved === "saved") return answer;
      if (saved === UNAVAILABLE || rounds <= 1) return unableToComply.answer;
      return attempt(hss, find, decide, rounds - 1);
    });
  });
}

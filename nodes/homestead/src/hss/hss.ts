import type { Subscriber } from "./subscriber.ts";

/** A driver that keeps subscribers at hand answers at once; another one promises. */
export type Lookup = Subscriber | undefined | Promise<Subscriber | undefined>;

/** What the Cx procedures need of the subscriber data. */
export interface Hss {
  byPrivateIdentity(impi: string): Lookup;
  /** By canonical public identity; one that is only covered by a wildcard included. */
  byPublicIdentity(canonical: string): Lookup;
  /** The registration or SQN of a subscriber given out before was changed in place; written soon, not now. */
  changed(subscriber: Subscriber): void;
}

/** Goes on with the subscriber, at once when it is at hand. */
export function whenFound<T>(lookup: Lookup, then: (found: Subscriber | undefined) => T): T | Promise<T> {
  return lookup instanceof Promise ? lookup.then(then) : then(lookup);
}

import type { Registration, Subscriber } from "./subscriber.ts";

/** At once from a driver that keeps things at hand, promised by one that has to ask. */
export type Eventually<T> = T | Promise<T>;

/** The store does not answer: nothing is known, and nothing may be concluded. */
export const UNAVAILABLE = "unavailable" as const;
export type Unavailable = typeof UNAVAILABLE;

export type Found = Subscriber | undefined | Unavailable;
export type Lookup = Eventually<Found>;

/** What a procedure changes of a subscriber. */
export type StateChange = {
  readonly registration?: Registration;
  /** Highest SQN handed out. */
  readonly sqn?: number;
};

/** "overtaken": the subscriber was changed since it was given out; nothing is saved, look it up again. */
export type Saved = "saved" | "overtaken" | Unavailable;

export interface Lookups {
  byPrivateIdentity(impi: string): Lookup;
  /** By canonical public identity; one that is only covered by a wildcard included. */
  byPublicIdentity(canonical: string): Lookup;
}

/** What the Cx procedures need of the subscriber data. */
export interface Hss extends Lookups {
  /** Subscribers as they were a moment ago. Good for a change, which the save checks, and for nothing else. */
  readonly recent?: Lookups;
  /** Saves the change of a subscriber that was given out, unless another change came between. */
  save(subscriber: Subscriber, change: StateChange): Eventually<Saved>;
  /** Runs a look-up and the save that follows when no other one of this node for the same name is between them. */
  inTurn<T>(name: string, work: () => Eventually<T>): Eventually<T | Unavailable>;
}

/** Goes on with a value, at once when it is at hand. */
export function when<V, T>(value: Eventually<V>, then: (value: V) => Eventually<T>): Eventually<T> {
  return value instanceof Promise ? value.then(then) : then(value);
}

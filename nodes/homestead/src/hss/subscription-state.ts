import { notRegistered, type Registration } from "./subscriber.ts";

/** The S-CSCF of a subscription: one for all of it (TS 23.228 §4.3.3.4). */
export type AssignedServer = Pick<Registration, "serverName" | "originHost" | "originRealm">;

/** Of one implicit registration set: TS 29.228 §6.1.2, by private identity. */
export type SetState = {
  readonly registered: readonly string[];
  /** Served for its unregistered services; counts while nobody has registered it. */
  readonly unregistered: boolean;
  /** Who was challenged, and has not been heard of. */
  readonly pending: readonly string[];
};

/** What changes with the procedures of a subscription with several private identities or sets. */
export type SubscriptionState = {
  readonly server: AssignedServer | undefined;
  /** Highest SQN used, by private identity. */
  readonly sqns: ReadonlyMap<string, number>;
  /** By set id. */
  readonly sets: ReadonlyMap<string, SetState>;
};

export const NO_SET_STATE: SetState = { registered: [], unregistered: false, pending: [] };

export const NO_STATE: SubscriptionState = { server: undefined, sqns: new Map(), sets: new Map() };

/**
 * The state after a procedure has changed the registration of a set on behalf of some private identities: those of others stay, and with them
 * the S-CSCF (TS 29.228 §6.1.2.1: a shared identity is deregistered when the last one is).
 */
export function withRegistration(
  before: SubscriptionState,
  setId: string,
  onBehalfOf: readonly string[],
  next: Registration,
): SubscriptionState {
  const set = before.sets.get(setId) ?? NO_SET_STATE;
  const after = setAfter(set, onBehalfOf, next);
  const sets = new Map(before.sets);
  if (isIdle(after)) sets.delete(setId);
  else sets.set(setId, after);
  const { serverName, originHost, originRealm } = next;
  const server = serverName === undefined ? before.server : { serverName, originHost, originRealm };
  return { ...before, sets, server: sets.size === 0 ? undefined : server };
}

function setAfter(set: SetState, onBehalfOf: readonly string[], next: Registration): SetState {
  const others = (impis: readonly string[]): string[] => impis.filter((impi) => !onBehalfOf.includes(impi));
  // A challenge says nothing of the registrations there are.
  if (next.authenticationPending) return { ...set, pending: [...others(set.pending), ...onBehalfOf] };
  const pending = others(set.pending);
  switch (next.state) {
    case "registered":
      return { registered: [...others(set.registered), ...onBehalfOf], unregistered: false, pending };
    case "unregistered":
      return { registered: others(set.registered), unregistered: true, pending };
    case "notRegistered":
      return { registered: others(set.registered), unregistered: false, pending };
  }
}

function isIdle({ registered, unregistered, pending }: SetState): boolean {
  return registered.length + pending.length === 0 && !unregistered;
}

export function withSqn(before: SubscriptionState, impi: string, sqn: number): SubscriptionState {
  return { ...before, sqns: new Map(before.sqns).set(impi, sqn) };
}

/** The same of a subscriber that becomes a subscription of several parts. */
export function stateOfOne(
  impi: string,
  setId: string,
  sqn: number,
  registration: Registration,
): SubscriptionState {
  const state = withSqn(NO_STATE, impi, sqn);
  if (registration === notRegistered) return state;
  const settled = withRegistration(state, setId, [impi], { ...registration, authenticationPending: false });
  return registration.authenticationPending
    ? withRegistration(settled, setId, [impi], registration)
    : settled;
}

/** What is still there of a state when private identities and sets have gone; `sqns`: new ones. */
export function pruned(
  before: SubscriptionState,
  parts: {
    readonly privateIdentities: readonly {
      readonly impi: string;
      readonly sets: readonly string[];
      readonly sqn?: number | undefined;
    }[];
    readonly sets: readonly { readonly id: string }[];
  },
): SubscriptionState {
  const ids = new Set(parts.sets.map(({ id }) => id));
  const sqns = new Map<string, number>();
  for (const { impi, sqn } of parts.privateIdentities) {
    const known = sqn ?? before.sqns.get(impi);
    if (known !== undefined) sqns.set(impi, known);
  }
  const sets = new Map<string, SetState>();
  for (const [id, { registered, unregistered, pending }] of before.sets) {
    const may = new Set(
      parts.privateIdentities.filter((one) => one.sets.includes(id)).map(({ impi }) => impi),
    );
    const left = {
      registered: registered.filter((impi) => may.has(impi)),
      unregistered,
      pending: pending.filter((impi) => may.has(impi)),
    };
    if (ids.has(id) && !isIdle(left)) sets.set(id, left);
  }
  return { server: sets.size === 0 ? undefined : before.server, sqns, sets };
}

type Row = [sqns: [string, number][], sets: [string, string[], 0 | 1, string[]][]];

/** Of all but the S-CSCF, which has columns. */
export function encodeState({ sqns, sets }: SubscriptionState): string {
  return JSON.stringify([
    [...sqns],
    [...sets].map(([id, { registered, unregistered, pending }]) => [
      id,
      registered,
      unregistered ? 1 : 0,
      pending,
    ]),
  ]);
}

export function decodeState(text: string, server: AssignedServer | undefined): SubscriptionState {
  const [sqns, sets] = JSON.parse(text) as Row;
  return {
    server,
    sqns: new Map(sqns),
    sets: new Map(
      sets.map(([id, registered, unregistered, pending]) => [
        id,
        { registered, unregistered: unregistered === 1, pending },
      ]),
    ),
  };
}

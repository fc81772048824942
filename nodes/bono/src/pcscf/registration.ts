import {
  canonicalImpu,
  isWildcarded,
  parseChargingFunctionAddresses,
  parseWildcardedImpu,
  type WildcardedImpu,
} from "@ims/ims";
import { locateUri, type SipMessage } from "@ims/sip";
import { flat } from "./flat.ts";
import { grantedPriorities } from "./resource-priority.ts";
import type { ServiceRoute } from "./service-route.ts";

/** A public user identity as P-Associated-URI has it. */
export interface AssociatedIdentity {
  /** Canonical form (TS 23.003 §13.4). */
  readonly impu: string;
  /** As the home network writes it. */
  readonly uri: string;
}

/** A public user identity that may be asserted over a flow. */
export interface Identity extends AssociatedIdentity {
  /** Value of P-Asserted-Identity for it. */
  readonly assertion: string;
  readonly registration: Registration;
}

/** What few registrations have. */
export interface Grants {
  readonly wildcards: readonly WildcardedImpu[];
  /** Charging collection functions of the home network, where it named any. */
  readonly ccf: readonly string[] | undefined;
  /** Highest Resource-Priority by namespace that its user may claim; undefined: none. */
  readonly priorities: readonly string[] | undefined;
  /** TS 24.229 §5.2.10: it is for emergency requests and calls back only. */
  readonly emergency: boolean;
}

export interface RegistrationFacts {
  /** Private user identity; "" when the UE sent none. */
  readonly impi: string;
  /** Stands for the UE at every member of the pool (FlowTokens). */
  readonly owner: string;
  readonly serviceRoute: ServiceRoute;
  /** Monotonic ms. */
  readonly expiresAt: number;
  readonly grants: Grants;
}

/** V8 keeps a whole number of so many ms within the object, for years of monotonic time; others are objects of their own. */
const TICK_MS = 100;

/**
 * One implicit registration set registered over one flow: TS 24.229 §5.2.2.1, what the 200 (OK) to REGISTER said. There may be a
 * million, and every object is one more for the collector to mark: so it is its own default public user identity, and what can be made
 * of the rest is not kept.
 */
export class Registration implements Identity, RegistrationFacts {
  readonly impu: string;
  readonly uri: string;
  readonly owner: string;
  readonly serviceRoute: ServiceRoute;
  readonly grants: Grants;
  /** Undefined: that of the default public user identity (TS 23.003 §13.3). */
  readonly #impi: string | undefined;
  readonly #others: readonly Identity[];
  readonly #lastTick: number;

  /** What is kept of the texts must not be cut from a message (flat). `identities`: not barred ones, no two of the same canonical form. */
  constructor(
    facts: RegistrationFacts,
    [first, ...others]: readonly [AssociatedIdentity, ...AssociatedIdentity[]],
  ) {
    const { impi, owner, serviceRoute, expiresAt, grants } = facts;
    this.impu = first.impu;
    this.uri = first.uri;
    this.owner = owner;
    this.serviceRoute = serviceRoute;
    this.grants = grants;
    this.#impi = first.impu === `sip:${impi}` ? undefined : impi;
    this.#others = others.length === 0 ? NO_OTHERS : others.map((one) => new OtherIdentity(one, this));
    this.#lastTick = Math.ceil(expiresAt / TICK_MS);
  }

  get impi(): string {
    return this.#impi ?? this.impu.slice("sip:".length);
  }

  /** Less than a tenth of a second later than was granted. */
  get expiresAt(): number {
    return this.#lastTick * TICK_MS;
  }

  get assertion(): string {
    return `<${this.uri}>`;
  }

  get registration(): Registration {
    return this;
  }

  /** The default public user identity first. */
  get identities(): readonly Identity[] {
    return [this, ...this.#others];
  }

  /** The one of this canonical form. */
  identity(impu: string): Identity | undefined {
    if (impu === this.impu) return this;
    for (const other of this.#others) if (other.impu === impu) return other;
    return undefined;
  }
}

const NO_OTHERS: readonly Identity[] = [];

/** What is not the default public user identity. */
class OtherIdentity implements Identity {
  readonly impu: string;
  readonly uri: string;
  readonly registration: Registration;

  constructor({ impu, uri }: AssociatedIdentity, registration: Registration) {
    this.impu = impu;
    this.uri = uri;
    this.registration = registration;
  }

  get assertion(): string {
    return `<${this.uri}>`;
  }
}

/**
 * Reads P-Associated-URI of a 200 (OK); without that header field the registered identity itself is the only one
 * (RFC 7315 §4.1). Undefined when there is no identity to assert.
 */
export function registrationFrom(
  response: SipMessage,
  facts: Omit<RegistrationFacts, "grants"> & { readonly impu: string; readonly emergency?: boolean },
): Registration | undefined {
  const identities: AssociatedIdentity[] = [];
  const associated = response.values("P-Associated-URI");
  const add = (uriText: string): void => {
    const impu = isWildcarded(uriText) ? undefined : canonicalImpu(uriText);
    if (impu !== undefined && !identities.some((one) => one.impu === impu))
      identities.push(associatedIdentity(impu, uriText));
  };
  for (const value of associated) {
    const located = locateUri(value);
    if (located !== undefined) add(value.slice(located.start, located.end));
  }
  if (associated.length === 0) add(facts.impu);
  const [first, ...others] = identities;
  if (first === undefined) return undefined;
  const grants = grantsOf(response, associated, facts.emergency === true);
  return new Registration({ ...facts, impi: flat(facts.impi), grants }, [first, ...others]);
}

/** Copies, the same text once. */
export function associatedIdentity(impu: string, uri: string): AssociatedIdentity {
  const kept = flat(impu);
  return { impu: kept, uri: uri === impu ? kept : flat(uri) };
}

/** Nearly all registrations share one. */
const NO_GRANTS: Grants = { wildcards: [], ccf: undefined, priorities: undefined, emergency: false };

function grantsOf(response: SipMessage, associated: readonly string[], emergency: boolean): Grants {
  const wildcards = wildcardsAmong(associated);
  const charging = response.header("P-Charging-Function-Addresses");
  const ccf = charging === undefined ? undefined : parseChargingFunctionAddresses(charging).ccf.map(flat);
  const priorities = grantedPriorities(response);
  return wildcards.length === 0 && ccf === undefined && priorities === undefined && !emergency
    ? NO_GRANTS
    : { wildcards, ccf, priorities, emergency };
}

function wildcardsAmong(associated: readonly string[]): readonly WildcardedImpu[] {
  const found: WildcardedImpu[] = [];
  for (const value of associated) {
    if (!isWildcarded(value)) continue;
    const located = locateUri(value);
    const wildcard =
      located === undefined ? undefined : parseWildcardedImpu(flat(value.slice(located.start, located.end)));
    if (wildcard !== undefined) found.push(wildcard);
  }
  return found;
}

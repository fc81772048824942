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

/** A public user identity that may be asserted over a flow. */
export interface Identity {
  /** Canonical form (TS 23.003 §13.4). */
  readonly impu: string;
  /** Value of P-Asserted-Identity for it. */
  readonly assertion: string;
  readonly registration: Registration;
}

/** One implicit registration set registered over one flow: TS 24.229 §5.2.2.1, what the 200 (OK) to REGISTER said. */
export interface Registration {
  /** Private user identity; "" when the UE sent none. */
  readonly impi: string;
  /** Stands for the UE at every member of the pool (FlowTokens). */
  readonly owner: string;
  /** Not barred ones of P-Associated-URI, the default public user identity first. */
  readonly identities: readonly Identity[];
  readonly wildcards: readonly WildcardedImpu[];
  readonly serviceRoute: ServiceRoute;
  /** Charging collection functions of the home network, where it named any. */
  readonly ccf?: readonly string[];
  /** Highest Resource-Priority by namespace that its user may claim; undefined: none. */
  readonly priorities?: readonly string[] | undefined;
  /** TS 24.229 §5.2.10: it is for emergency requests and calls back only. */
  readonly emergency?: true;
  /** Monotonic ms. */
  readonly expiresAt: number;
}

/**
 * Reads P-Associated-URI of a 200 (OK); without that header field the registered identity itself is the only one
 * (RFC 7315 §4.1). Undefined when there is no identity to assert.
 */
export function registrationFrom(
  response: SipMessage,
  facts: {
    impi: string;
    owner: string;
    impu: string;
    serviceRoute: ServiceRoute;
    expiresAt: number;
    emergency?: boolean;
  },
): Registration | undefined {
  const identities: Identity[] = [];
  const associated = response.values("P-Associated-URI");
  const wildcards = wildcardsAmong(associated);
  const charging = response.header("P-Charging-Function-Addresses");
  const registration: Registration = {
    impi: flat(facts.impi),
    owner: facts.owner,
    identities,
    wildcards,
    serviceRoute: facts.serviceRoute,
    expiresAt: facts.expiresAt,
    priorities: grantedPriorities(response),
    ...(facts.emergency === true ? { emergency: true as const } : {}),
    ...(charging === undefined ? {} : { ccf: parseChargingFunctionAddresses(charging).ccf.map(flat) }),
  };
  const add = (uriText: string): void => {
    const impu = isWildcarded(uriText) ? undefined : canonicalImpu(uriText);
    if (impu === undefined || identities.some((one) => one.impu === impu)) return;
    identities.push({ impu: flat(impu), assertion: flat(`<${uriText}>`), registration });
  };
  for (const value of associated) {
    const located = locateUri(value);
    if (located !== undefined) add(value.slice(located.start, located.end));
  }
  if (associated.length === 0) add(facts.impu);
  return identities.length === 0 ? undefined : registration;
}

/** Most users have none: they share one empty list. */
const NO_WILDCARDS: readonly WildcardedImpu[] = [];

function wildcardsAmong(associated: readonly string[]): readonly WildcardedImpu[] {
  const found: WildcardedImpu[] = [];
  for (const value of associated) {
    if (!isWildcarded(value)) continue;
    const located = locateUri(value);
    const wildcard =
      located === undefined ? undefined : parseWildcardedImpu(flat(value.slice(located.start, located.end)));
    if (wildcard !== undefined) found.push(wildcard);
  }
  return found.length === 0 ? NO_WILDCARDS : found;
}

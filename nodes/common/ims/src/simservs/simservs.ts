/** XML name spaces of simservs documents (TS 24.623, RFC 4745 §13). */
export const SIMSERVS_NAMESPACE = "http://uri.etsi.org/ngn/params/xml/simservs/xcap";
export const COMMON_POLICY_NAMESPACE = "urn:ietf:params:xml:ns:common-policy";

/** A condition of a rule: TS 24.604 §4.9, TS 24.611 §4.9, RFC 4745 §7. All conditions of a rule have to hold. */
export type Condition =
  | { readonly kind: SimpleCondition }
  | { readonly kind: "identity"; readonly one: readonly string[]; readonly many: readonly Many[] }
  /** As it stands behind "m=" in a session description. */
  | { readonly kind: "media"; readonly media: string }
  /** ms since 1970; it holds in any of the periods. */
  | { readonly kind: "validity"; readonly periods: readonly Period[] }
  /** One that is not known here, or cannot be judged: it never holds (RFC 4745 §10.2). */
  | { readonly kind: "unknown"; readonly name: string };

export const SIMPLE_CONDITIONS = [
  "busy",
  "no-answer",
  "not-registered",
  "not-reachable",
  "anonymous",
  "roaming",
  "international",
  "international-exHC",
  "communication-diverted",
  "other-identity",
  "rule-deactivated",
] as const;
export type SimpleCondition = (typeof SIMPLE_CONDITIONS)[number];

export interface Period {
  readonly from: number;
  readonly until: number;
}

/** Everybody, or everybody of a domain, except some: RFC 4745 §7.1.3. Identities are canonical. */
export interface Many {
  readonly domain: string | undefined;
  readonly exceptIds: readonly string[];
  readonly exceptDomains: readonly string[];
}

export interface Rule<Action> {
  readonly id: string;
  /** None: the rule always applies. */
  readonly conditions: readonly Condition[];
  readonly action: Action;
}

/** TS 24.604 §4.9. */
export interface ForwardTo {
  readonly target: string;
  /** 181 to the caller. */
  readonly notifyCaller: boolean;
  /** The caller may learn where to. */
  readonly revealIdentityToCaller: boolean;
  readonly revealServedUserIdentityToCaller: boolean;
  /** The new destination may learn who has diverted. */
  readonly revealIdentityToTarget: boolean;
  /** The user is told of each call that is diverted. Default: no. */
  readonly notifyServedUser?: boolean;
  /** The user is reminded, when he calls somebody, that calls are diverted. Default: no. */
  readonly notifyServedUserOnOutboundCall?: boolean;
  /** Of this rule alone, s. */
  readonly noReplySeconds: number | undefined;
}

/** TS 24.611 §4.9. */
export interface Allow {
  readonly allow: boolean;
}

export interface CommunicationDiversion {
  readonly active: boolean;
  /** s; undefined: the operator's. */
  readonly noReplySeconds: number | undefined;
  readonly rules: readonly Rule<ForwardTo>[];
}

export interface CommunicationBarring {
  readonly active: boolean;
  readonly rules: readonly Rule<Allow>[];
}

export interface IdentityRestriction {
  readonly active: boolean;
  /** What happens to a request, or response, that does not say. */
  readonly restricted: boolean;
}

/** The settings of the supplementary services of one public identity: TS 24.623. Undefined: the document has no such element. */
export interface Simservs {
  readonly originatingIdentityPresentation?: boolean;
  readonly originatingIdentityRestriction?: IdentityRestriction;
  readonly terminatingIdentityPresentation?: boolean;
  readonly terminatingIdentityRestriction?: IdentityRestriction;
  readonly communicationDiversion?: CommunicationDiversion;
  readonly incomingBarring?: CommunicationBarring;
  readonly outgoingBarring?: CommunicationBarring;
  readonly communicationWaiting?: boolean;
}

/** Which of RFC 4825 §11.1's faults it is. */
export type SimservsFault = "schema-validation-error" | "uniqueness-failure" | "constraint-failure";

export type SimservsResult =
  | { readonly kind: "simservs"; readonly simservs: Simservs }
  /** `place`: a path of elements. */
  | {
      readonly kind: "wrong";
      readonly fault: SimservsFault;
      readonly reason: string;
      readonly place: string;
    };

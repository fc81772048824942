/** Cx in the words of TS 29.228: what the I-CSCF and the S-CSCF ask the HSS. Every expected outcome is a value. */
export interface Cx {
  /** UAR/UAA: TS 29.228 §6.1.1. */
  userAuthorization(query: UserAuthorization): Promise<UserAuthorizationOutcome>;
  /** MAR/MAA: TS 29.228 §6.3. */
  multimediaAuth(query: MultimediaAuth): Promise<MultimediaAuthOutcome>;
  /** SAR/SAA: TS 29.228 §6.1.2. */
  serverAssignment(query: ServerAssignment): Promise<ServerAssignmentOutcome>;
  /** LIR/LIA: TS 29.228 §6.1.4. */
  locationInfo(query: LocationInfo): Promise<LocationInfoOutcome>;
}

/** What the HSS asks of the S-CSCF. */
export interface CxRequests {
  /** RTR: TS 29.228 §6.1.3. */
  registrationTermination(request: RegistrationTermination): Promise<CxRequestResult | EmergencyKept>;
  /** PPR: TS 29.228 §6.2.1. */
  pushProfile(request: PushProfile): Promise<CxRequestResult>;
}

/** The HSS gave no usable answer: nobody connected, time-out, or a result that no procedure expects. */
export interface CxUnavailable {
  readonly kind: "unavailable";
  /** For the log. */
  readonly cause: string;
  /** It did answer, with a result that says neither yes nor no (DIAMETER_UNABLE_TO_COMPLY). */
  readonly answered?: true;
  /** It has too much to do (DIAMETER_TOO_BUSY), and so has every other one that was asked. */
  readonly busy?: true;
}

/** Why the HSS refuses: TS 29.229 §6.2.2. */
export interface CxRejected {
  readonly kind: "rejected";
  readonly reason:
    | "userUnknown"
    | "identitiesDontMatch"
    | "identityNotRegistered"
    | "roamingNotAllowed"
    | "identityAlreadyRegistered"
    | "authSchemeNotSupported"
    | "authorizationRejected"
    | "inAssignmentType"
    | "other";
}

export interface ServerCapabilities {
  readonly mandatory: readonly number[];
  readonly optional: readonly number[];
  /** S-CSCF names the HSS would like. */
  readonly serverNames: readonly string[];
}

/** An S-CSCF by name, or what to select one by. */
export type ServerOutcome =
  | { readonly kind: "server"; readonly name: string }
  | { readonly kind: "capabilities"; readonly capabilities: ServerCapabilities };

export interface UserAuthorization {
  readonly impi: string;
  readonly impu: string;
  readonly visitedNetwork: string;
  readonly type: "registration" | "deregistration" | "registrationAndCapabilities";
  readonly emergency?: boolean;
}
export type UserAuthorizationOutcome = ServerOutcome | CxRejected | CxUnavailable;

/** "unknown" leaves the choice to the HSS (TS 29.228 §6.3.1). */
export type AuthenticationScheme = "sipDigest" | "akav1" | "akav2" | "unknown";

export interface MultimediaAuth {
  readonly impi: string;
  readonly impu: string;
  readonly serverName: string;
  readonly scheme: AuthenticationScheme;
  /** RAND || AUTS after a synchronisation failure. */
  readonly resynchronisation?: Uint8Array;
}

export interface DigestVector {
  readonly kind: "digest";
  readonly realm: string;
  readonly qop: string;
  /** In the order of preference; at least one. */
  readonly secrets: readonly {
    readonly algorithm: "MD5" | "SHA-256" | "SHA-512-256";
    readonly ha1: string;
  }[];
}
export interface AkaVector {
  readonly kind: "aka";
  readonly version: 1 | 2;
  readonly rand: Uint8Array;
  readonly autn: Uint8Array;
  readonly xres: Uint8Array;
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
}
export type AuthenticationVector = DigestVector | AkaVector;

export type MultimediaAuthOutcome =
  | { readonly kind: "vector"; readonly vector: AuthenticationVector }
  | CxRejected
  | CxUnavailable;

/** Server-Assignment-Type: TS 29.229 §6.3.15. */
export type AssignmentType =
  | "NO_ASSIGNMENT"
  | "REGISTRATION"
  | "RE_REGISTRATION"
  | "UNREGISTERED_USER"
  | "TIMEOUT_DEREGISTRATION"
  | "USER_DEREGISTRATION"
  | "TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME"
  | "USER_DEREGISTRATION_STORE_SERVER_NAME"
  | "ADMINISTRATIVE_DEREGISTRATION"
  | "AUTHENTICATION_FAILURE"
  | "AUTHENTICATION_TIMEOUT"
  | "DEREGISTRATION_TOO_MUCH_DATA";

export interface ServerAssignment {
  readonly type: AssignmentType;
  readonly serverName: string;
  /** Absent only for a user never registered. */
  readonly impi?: string;
  readonly impus: readonly string[];
  readonly wildcard?: string;
  /** The S-CSCF has the profile: none is wanted in the answer. */
  readonly profileKnown: boolean;
}

/** Charging function addresses: TS 24.229 §5.4.1.2.2, as Diameter URIs. */
export interface ChargingAddresses {
  readonly ecf: readonly string[];
  readonly ccf: readonly string[];
}

export type ServerAssignmentOutcome =
  | {
      readonly kind: "assigned";
      /** User-Data; undefined when none came. */
      readonly profileXml: string | undefined;
      readonly charging: ChargingAddresses | undefined;
      /** IMPIs that share the identities, the one asked for included when the HSS says so. */
      readonly impis: readonly string[];
      readonly wildcard: string | undefined;
    }
  | CxRejected
  | CxUnavailable;

export interface LocationInfo {
  readonly impu: string;
  readonly originating: boolean;
  /** Ask for capabilities although a server is assigned (TS 24.229 §5.3.2.2). */
  readonly capabilities?: boolean;
}
export type LocationInfoOutcome =
  | (ServerOutcome & { readonly wildcard: string | undefined })
  | CxRejected
  | CxUnavailable;

/** Reason-Code: TS 29.229 §6.3.17. */
export type TerminationReason =
  | "PERMANENT_TERMINATION"
  | "NEW_SERVER_ASSIGNED"
  | "SERVER_CHANGE"
  | "REMOVE_SCSCF";

export interface RegistrationTermination {
  readonly reason: TerminationReason;
  readonly reasonInfo: string | undefined;
  readonly impi: string;
  /** Further IMPIs to be deregistered. */
  readonly associatedImpis: readonly string[];
  /** Empty means every identity of the IMPIs. */
  readonly impus: readonly string[];
}

/** A deregistration that has left emergency registrations as they are: Identity-with-Emergency-Registration, TS 29.228 §6.1.3. */
export interface EmergencyKept {
  readonly kept: readonly { readonly impi: string; readonly impu: string }[];
}

export interface PushProfile {
  readonly impi: string;
  readonly profileXml: string | undefined;
  readonly charging: ChargingAddresses | undefined;
}

export type CxRequestResult = "success" | "unknownUser" | "notSupportedUserData" | "unavailable";

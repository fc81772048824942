/** Session cases: TS 29.228 §B.2.3.5 and annex E (tDirectionOfRequest). */
export const SessionCase = {
  ORIGINATING_REGISTERED: 0,
  TERMINATING_REGISTERED: 1,
  TERMINATING_UNREGISTERED: 2,
  ORIGINATING_UNREGISTERED: 3,
  ORIGINATING_CDIV: 4,
} as const;
export type SessionCase = (typeof SessionCase)[keyof typeof SessionCase];

/** Registration types that narrow a Method trigger for REGISTER: TS 29.228 annex E (tRegistrationType). */
export const RegistrationType = { INITIAL: 0, RE_REGISTRATION: 1, DE_REGISTRATION: 2 } as const;
export type RegistrationType = (typeof RegistrationType)[keyof typeof RegistrationType];

/** What one service point trigger looks at. Patterns are extended regular expressions (TS 29.228 annex F). */
export type TriggerCondition =
  | { readonly kind: "requestUri"; readonly pattern: string }
  | {
      readonly kind: "method";
      readonly method: string;
      /** Empty: any. */
      readonly registrationTypes: readonly RegistrationType[];
    }
  | { readonly kind: "sipHeader"; readonly header: string; readonly content?: string | undefined }
  | { readonly kind: "sessionCase"; readonly sessionCase: SessionCase }
  | { readonly kind: "sessionDescription"; readonly line: string; readonly content?: string | undefined };

export type ServicePointTrigger = { readonly negated: boolean; readonly condition: TriggerCondition };

/** "cnf": every group has a member that holds. "dnf": all members of some group hold. */
export type TriggerPoint = {
  readonly form: "cnf" | "dnf";
  readonly groups: readonly (readonly ServicePointTrigger[])[];
};

export type ApplicationServer = {
  /** SIP URI. */
  readonly serverName: string;
  /** What happens to the session when the server does not answer. */
  readonly defaultHandling: "continue" | "terminate";
  /** Handed to the server in the body of a third-party REGISTER. */
  readonly serviceInfo?: string | undefined;
  readonly includeRegisterRequest: boolean;
  readonly includeRegisterResponse: boolean;
};

/** Initial filter criteria: TS 29.228 §B.2.2. */
export type InitialFilterCriteria = {
  /** 0 is looked at first; unique within a service profile. */
  readonly priority: number;
  /** Undefined: every request goes to the server. */
  readonly trigger?: TriggerPoint | undefined;
  readonly applicationServer: ApplicationServer;
  /** Undefined: applies whether the user is registered or not. */
  readonly profilePart?: "registered" | "unregistered" | undefined;
};

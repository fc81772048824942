/** Functional entities that charging events come from: Node-Functionality, TS 32.299 §7.2.118. */
export const CHARGING_NODES = ["S-CSCF", "P-CSCF", "I-CSCF", "BGCF", "IBCF", "E-CSCF", "AS"] as const;
export type ChargingNode = (typeof CHARGING_NODES)[number];

/** TS 32.260 §5.2.2: a session begins, changes, ends; or something that is no session happened, or failed. */
export const CHARGING_EVENT_KINDS = ["start", "interim", "stop", "event"] as const;
export type ChargingEventKind = (typeof CHARGING_EVENT_KINDS)[number];

/** Role-Of-Node: on whose behalf the entity works. */
export type ChargingRole = "originating" | "terminating";

/** Server-Capabilities (TS 29.229 §6.3.4): what the HSS has said of the S-CSCF of a user; to the I-CSCF only. */
export interface ChargedServers {
  readonly mandatory?: readonly number[] | undefined;
  readonly optional?: readonly number[] | undefined;
  /** SIP URIs: of the S-CSCF that serves the user, or that has been selected. */
  readonly serverNames?: readonly string[] | undefined;
}

/** What a functional entity saw that may have to be charged. All times are ms since the epoch. */
export interface ChargingEvent {
  /** The same whenever the same SIP transaction is seen again at the same function: what has this id counts once. */
  readonly id: string;
  readonly kind: ChargingEventKind;
  readonly time: number;
  readonly node: ChargingNode;
  /** The machine, for people. */
  readonly nodeAddress: string;
  /** Absent inside a dialog: whoever keeps the session knows. */
  readonly role?: ChargingRole | undefined;
  readonly callId: string;
  readonly fromTag: string;
  /** "" when no dialog was made. */
  readonly toTag: string;
  /** Inside a dialog: the tag of the party that the entity serves; absent when it stands for both. */
  readonly servedTag?: string | undefined;
  readonly method: string;
  /** Event header field. */
  readonly event?: string | undefined;
  /** Seconds: of a REGISTER or SUBSCRIBE as granted. */
  readonly expires?: number | undefined;
  readonly requestTime?: number | undefined;
  readonly responseTime?: number | undefined;
  readonly status?: number | undefined;
  /** P-Asserted-Identity. */
  readonly callingParty: readonly string[];
  /** Request-URI. */
  readonly calledParty: string;
  /** P-Called-Party-ID: who was called before the Request-URI became a contact. */
  readonly requestedParty?: string | undefined;
  /** P-Asserted-Identity of the answer. */
  readonly calledAsserted?: readonly string[] | undefined;
  readonly from?: string | undefined;
  readonly icid?: string | undefined;
  readonly icidGeneratedAt?: string | undefined;
  readonly origIoi?: string | undefined;
  readonly termIoi?: string | undefined;
  readonly accessNetworkInfo?: readonly string[] | undefined;
  readonly visitedNetwork?: string | undefined;
  /** Reason header fields (RFC 3326). */
  readonly reason?: readonly string[] | undefined;
  /** Seconds: Session-Expires (RFC 4028) of the answer. */
  readonly sessionExpires?: number | undefined;
  readonly contentType?: string | undefined;
  readonly contentLength?: number | undefined;
  /** Session descriptions of the request and of the answer. */
  readonly offer?: string | undefined;
  readonly answer?: string | undefined;
  /** Charging collection functions of the served user, Diameter URIs, preferred one first. */
  readonly ccf?: readonly string[] | undefined;
  readonly servers?: ChargedServers | undefined;
}

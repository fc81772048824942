export type TrailDirection = "in" | "out" | "";

/** Between whom a message went. One object for all messages of a connection, and nothing behind it. */
export interface TrailEnds {
  readonly protocol: string;
  /** Trust zone of a SIP flow. */
  readonly side?: string;
  /** address:port */
  readonly local: string;
  readonly remote: string;
}

/** What somebody who may look is shown of one step: no secret in it. */
export interface TrailContent {
  /** "sip", "cx", "rf", "decision", ... */
  readonly kind: string;
  /** In a few words. */
  readonly title: string;
  readonly callId?: string | undefined;
  /** IMS charging identity of the P-Charging-Vector (TS 24.229 §7.2A.5). */
  readonly icid?: string | undefined;
  /** Diameter Session-Id: an answer that names nobody belongs to its request. */
  readonly session?: string | undefined;
  /** Public and private identities that it names. */
  readonly identities?: readonly string[];
  /** The same for a message at its sender and at its receiver. */
  readonly message?: string | undefined;
  readonly request?: boolean;
  readonly method?: string | undefined;
  readonly status?: number | undefined;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The message itself. */
  readonly text?: string;
  /** That of a message which is no text, in base64. */
  readonly octets?: string;
}

/** Whose step it is, as far as a short look tells. */
export type TrailIdentifiers = Pick<TrailContent, "callId" | "icid" | "session">;

export interface TrailStep extends TrailContent {
  readonly sequence: number;
  /** ms since the epoch, with fractions. */
  readonly time: number;
  readonly direction: TrailDirection;
  readonly ends?: TrailEnds | undefined;
}

/** What a short look at a message tells: enough for a list of registrations and calls. */
export interface TrailGlance {
  readonly callId: string;
  readonly icid?: string | undefined;
  readonly request: boolean;
  /** Of a response: that of its request. */
  readonly method: string;
  /** Final ones only. */
  readonly status?: number;
  readonly reason?: string;
  readonly inDialog: boolean;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A REGISTER that takes a registration back. */
  readonly ends?: boolean;
}

/** Makes out what was recorded, when somebody asks. */
export interface TrailReader {
  /** `bytes` are good during the call only; undefined: not to be made out. */
  read(bytes: Buffer, direction: TrailDirection): TrailContent | undefined;
  /** The same identifiers as `read` finds, sooner; left out: those of `read`. */
  identifiers?(bytes: Buffer): TrailIdentifiers;
  /** Undefined: it neither begins nor ends a registration or a call. Must cost little. */
  glance?(bytes: Buffer): TrailGlance | undefined;
}

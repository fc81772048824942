/** One contact of an address of record: RFC 3261 §10.3, RFC 5626 §6, RFC 3327 §5.3. */
export type Binding = {
  /** Contact URI as the UE wrote it. */
  readonly contact: string;
  /** Further Contact parameters in their spelling, without q, expires, reg-id and +sip.instance. */
  readonly parameters: string;
  /** `urn:uuid:…` or `urn:gsma:imei:…` without the angle brackets of +sip.instance. */
  readonly instanceId?: string | undefined;
  readonly regId?: number | undefined;
  /** Path values in the order of the REGISTER: the Route towards this contact. */
  readonly path: readonly string[];
  readonly callId: string;
  readonly cseq: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Thousandths, 0 to 1000. */
  readonly q: number;
  /** The private identity that registered it. */
  readonly impi: string;
};

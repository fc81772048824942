import type { ChargingTriggers } from "@ims/ims";
import type { OwnUris } from "@ims/sip";
import type { Cx } from "../cx/cx.ts";
import type { Gruus } from "../routing/gruu.ts";
import type { Challenged } from "./challenged.ts";
import type { ScscfSelection } from "./scscf-selection.ts";

/** What the procedures of the I-CSCF are told about their network. */
export interface IcscfOptions {
  readonly homeDomain: string;
  /** SIP URI of the BGCF; "" or undefined: no breakout. */
  readonly bgcfUri?: string;
  /** SIP URI of the E-CSCF; "" or undefined: none. */
  readonly ecscfUri?: string;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  /** An S-CSCF of another process that has not answered a REGISTER by then is given up, ms. */
  readonly scscfTimeoutMs: number;
  /** The answer of the HSS for a challenged REGISTER also serves the one that answers the challenge. */
  readonly reuseAuthorization: boolean;
}

/** What the I-CSCF counts. */
export interface IcscfCounters {
  /** A request left for an S-CSCF, was refused, or went to another S-CSCF than the first. */
  request(kind: "registration" | "session", outcome: "routed" | "refused" | "reselected"): void;
}

export interface IcscfModules {
  readonly options: IcscfOptions;
  readonly cx: Cx;
  readonly selection: ScscfSelection;
  readonly own: OwnUris;
  readonly gruus: Gruus;
  readonly counters: IcscfCounters;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ChargingTriggers | undefined;
  readonly challenged: Challenged;
  /**
   * Name of our S-CSCF when the identity has live bindings in its registration store, so that I-CSCF and S-CSCF are one
   * step. The HSS would name the same one; it is asked for everybody else (TS 24.229 §5.3.2.1).
   */
  servedHere(impu: string): Promise<string | undefined>;
}

import type { Hss } from "../hss/hss.ts";
import type { ServingHosts } from "./serving-hosts.ts";

/** What the Cx procedures work with. */
export type CxModules = {
  readonly hss: Hss;
  readonly servers: ServingHosts;
  readonly options: CxOptions;
  /** 16 random octets. */
  readonly nextRand: () => Uint8Array;
};

export type CxOptions = {
  /** Visited networks users may register from; empty: all. */
  readonly allowedVisitedNetworks: readonly string[];
  /** Capabilities of an S-CSCF for users without their own. */
  readonly mandatoryCapabilities: readonly number[];
  readonly optionalCapabilities: readonly number[];
  /** Charging collection functions of all users, Diameter URIs, the primary one first; absent: none are told. */
  readonly ccf?: readonly string[];
};

import type { Simservs } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import type { OwnUris } from "../routing/own-route.ts";
import type { HomeNetwork } from "./home-network.ts";
import type { Locations } from "./locations.ts";

/** What the settings of a user are, or why nobody knows. */
export type Reading =
  | { readonly kind: "simservs"; readonly simservs: Simservs }
  /** What they were the last time: the document cannot be read now. */
  | { readonly kind: "lastKnown"; readonly simservs: Simservs }
  | { readonly kind: "unreadable" };

export interface SimservsReader {
  /** By canonical public identity. Who has no document has no settings. Never rejects. */
  read(impu: string): Promise<Reading>;
}

export type MmtelOutcome =
  | "served"
  | "withoutServices"
  | "lastKnown"
  | "refused"
  | "barred"
  | "anonymousRejected"
  | "diverted"
  | "diversionLimit"
  | "restricted"
  | "conference";

export interface MmtelCounters {
  /** "served": a request whose user's settings were read; the others are beside it. */
  mmtel(outcome: MmtelOutcome): void;
}

/** What the procedures of the MMTEL application server need. */
export interface MmtelModules {
  readonly options: {
    /** Its own URI. */
    readonly uri: string;
    /** Side (trust zone) that requests leave on. */
    readonly side: string;
    readonly unreadable: "continue" | "lastKnown" | "refuse";
    /** s */
    readonly noReplySeconds: number;
    readonly maxDiversions: number;
    /** URIs, or domains. */
    readonly conferenceUris: readonly string[];
    /** "": none. */
    readonly mrfUri: string;
  };
  readonly own: OwnUris;
  readonly clock: Clock;
  readonly simservs: SimservsReader;
  readonly home: HomeNetwork;
  readonly locations: Locations;
  readonly counters: MmtelCounters;
}

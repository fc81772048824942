import type { ServedUser } from "@ims/application-server";
import type { Simservs } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import type { RequestOriginator, SipMessage } from "@ims/sip";
import type { Cause } from "./history-info.ts";
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
  | "conference"
  | "servedUserNotified";

export interface MmtelCounters {
  /** "served": a request whose user's settings were read; the others are beside it. */
  mmtel(outcome: MmtelOutcome): void;
}

/** A call that a rule has diverted. */
export interface Diversion {
  readonly request: SipMessage;
  readonly served: ServedUser;
  readonly target: string;
  readonly cause: Cause;
}

/** What diverting a call needs, whoever's settings say so. */
export interface DiversionModules {
  readonly options: {
    /** Default of the time to no-reply diversion, s. */
    readonly noReplySeconds: number;
    readonly maxDiversions: number;
    /** Diverted calls get Diversion (RFC 5806) beside History-Info; default: no. */
    readonly diversionHeader?: boolean;
  };
  readonly clock: Clock;
  readonly counters: { diversion(outcome: "diverted" | "diversionLimit"): void };
  /** Tells the served user, where the rule says so. */
  readonly notifyServedUser?: (diversion: Diversion) => void;
}

/** What the procedures of the MMTEL application server need. */
export interface MmtelModules {
  readonly options: {
    /** Its own URI. */
    readonly uri: string;
    /** Side (trust zone) that requests of our own leave on. */
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
  readonly clock: Clock;
  readonly simservs: SimservsReader;
  readonly home: HomeNetwork;
  readonly locations: Locations;
  readonly counters: MmtelCounters;
  /** Sends requests of our own; default: served users are not notified. */
  readonly originate?: RequestOriginator["originate"];
}

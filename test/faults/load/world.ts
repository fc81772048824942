import type { CallOperation, History } from "../history/operations.ts";
import type { Random } from "../random.ts";
import type { Told } from "./told.ts";

/** Where a fault may strike: TS 24.229 procedures as the UEs see them. */
export const STAGES = [
  "register",
  "reregister",
  "invite-sent",
  "after-100",
  "after-180",
  "before-200",
  "before-ack",
  "in-call",
] as const;
export type Stage = (typeof STAGES)[number];

/** An edge node as a UE knows it. */
export interface Edge {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** What all UEs share. */
export interface World {
  /** Monotonic ms since the run began. */
  readonly now: () => number;
  readonly random: Random;
  readonly domain: string;
  readonly edges: readonly Edge[];
  history: History;
  /** Calls by Call-ID: both ends write to the same record. */
  readonly calls: Map<string, CallOperation>;
  readonly told: Told;
  /** Somebody wants to know that a stage is reached; `edges` are the names of the edge nodes it goes over. */
  reached: (stage: Stage, edges: readonly string[]) => void;
}

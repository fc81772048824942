import type { Subscriber } from "@ims/api";
import type { DiagnosisId } from "../catalogue/catalogue.ts";
import type { NodeStep } from "../trail/ask-node.ts";
import type { CaseFile } from "./case-file.ts";

/** What is known beside the messages. */
export interface CaseFacts {
  readonly homeDomain?: string | undefined;
  /** A private identity at the HSS; undefined: it could not be asked. */
  readonly subscriber?: (impi: string) => Subscriber | "unknown" | "without a set" | undefined;
  /** What the answer to an AKA challenge fits, by the step that tells of it; undefined: nobody could compare. */
  readonly akaFits?: (step: NodeStep) => AkaFits | undefined;
  /** Of the newest thing that any node has told, ms since the epoch. */
  readonly now: number;
}

/** `op`: it fits when what is stored as OPc is taken for OP. `opc`: it fits as things are now. */
export type AkaFits = "opc" | "op" | "neither";

/** What a rule has found in one case. */
export interface Finding {
  /** In words, with the names and values of the case. */
  readonly said: string;
  /** The steps that show it, in order of time. */
  readonly evidence: readonly NodeStep[];
  /** Other causes would look the same. */
  readonly likely?: boolean;
  /** The registration or call has come about all the same. */
  readonly harmless?: boolean;
}

/** Looks for one diagnosis. Pure. */
export interface Rule {
  readonly id: DiagnosisId;
  find(file: CaseFile, facts: CaseFacts): Finding | undefined;
}

/** Only steps that are there. */
export function evidence(...steps: readonly (NodeStep | undefined)[]): readonly NodeStep[] {
  return [...new Set(steps.filter((step) => step !== undefined))].sort((a, b) => a.time - b.time);
}

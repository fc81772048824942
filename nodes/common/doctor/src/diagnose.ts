import type { CaseFile } from "./case/case-file.ts";
import type { CaseFacts, Finding, Rule } from "./case/finding.ts";
import { type DiagnosisId, definitionOf } from "./catalogue/catalogue.ts";
import type { Severity } from "./catalogue/definition.ts";
import { authenticationRules } from "./rules/authentication.ts";
import { callSetupRules, refusedOutsideRules } from "./rules/call-setup.ts";
import { hssRules, hssTroubleRules } from "./rules/hss.ts";
import { inCallRules } from "./rules/in-call.ts";
import { registrationRules } from "./rules/registration.ts";
import { coreTroubleRules, requestRules } from "./rules/requests.ts";

/** A step that shows it, as the ladder has it. */
export interface EvidenceStep {
  readonly node: string;
  readonly sequence: number;
  /** ms since the epoch. */
  readonly time: number;
  readonly title: string;
}

/** What went wrong, in words, and what to do. */
export interface Diagnosis {
  readonly id: DiagnosisId;
  readonly severity: Severity;
  readonly title: string;
  /** With the names and values of this case. */
  readonly said: string;
  /** Other causes would look the same. */
  readonly likely: boolean;
  /** It has gone well since. */
  readonly over: boolean;
  readonly cause: string;
  readonly remedy: readonly string[];
  readonly clauses: readonly string[];
  readonly evidence: readonly EvidenceStep[];
}

/** The particular before the general: the first that is met is what went wrong. */
export const rules: readonly Rule[] = [
  ...requestRules,
  ...hssRules,
  ...authenticationRules,
  ...registrationRules,
  ...hssTroubleRules,
  ...callSetupRules,
  ...inCallRules,
  ...coreTroubleRules,
  ...refusedOutsideRules,
];

/** Steps shown of one diagnosis: a loop may have hundreds. */
const MOST_EVIDENCE = 12;

/** What is to be said of one registration or call: what went wrong first, then what is worth knowing. Pure. */
export function diagnose(file: CaseFile, facts: CaseFacts): readonly Diagnosis[] {
  let wrong: Diagnosis | undefined;
  const notices: Diagnosis[] = [];
  for (const rule of rules) {
    const notice = definitionOf(rule.id).severity === "notice";
    if (wrong !== undefined && !notice) continue;
    const finding = rule.find(file, facts);
    if (finding === undefined) continue;
    const diagnosis = diagnosisOf(rule.id, finding);
    if (diagnosis.severity === "notice") notices.push(diagnosis);
    else wrong = diagnosis;
  }
  return wrong === undefined ? notices : [wrong, ...notices];
}

export function diagnosisOf(id: DiagnosisId, { said, evidence, likely, harmless }: Finding): Diagnosis {
  const { severity, title, cause, remedy, clauses } = definitionOf(id);
  return {
    id,
    severity: harmless === true ? "notice" : severity,
    title,
    said,
    likely: likely === true,
    over: false,
    cause,
    remedy,
    clauses,
    evidence: evidence.slice(0, MOST_EVIDENCE).map(({ node, sequence, time, title: step }) => ({
      ...{ node, sequence, time },
      title: step,
    })),
  };
}

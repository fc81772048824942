import { authenticationDiagnoses } from "./authentication.ts";
import { callDiagnoses } from "./calls.ts";
import type { DiagnosisDefinition } from "./definition.ts";
import { networkDiagnoses } from "./network.ts";
import { registrationDiagnoses } from "./registration.ts";

/** Every diagnosis there is, by its id. Ids are never used for something else. */
export const catalogue = {
  ...registrationDiagnoses,
  ...authenticationDiagnoses,
  ...callDiagnoses,
  ...networkDiagnoses,
} as const;

export type DiagnosisId = keyof typeof catalogue;

export function definitionOf(id: DiagnosisId): DiagnosisDefinition {
  return catalogue[id];
}

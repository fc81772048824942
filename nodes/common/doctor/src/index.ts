export { pcapng } from "./capture/pcapng.ts";
export { CaseFile, type CaseKind } from "./case/case-file.ts";
export type { AkaFits, CaseFacts } from "./case/finding.ts";
export { alarmsOf, alertRules } from "./catalogue/alarms.ts";
export { catalogue, type DiagnosisId, definitionOf } from "./catalogue/catalogue.ts";
export { type Area, areas, type DiagnosisDefinition, type Severity } from "./catalogue/definition.ts";
export type { NodeAlarm } from "./core/core-facts.ts";
export { KeyError, keyOf } from "./core/key.ts";
export { type Diagnosis, diagnose, type EvidenceStep } from "./diagnose.ts";
export { type Examination, type Examined, type ExamineOptions, examine, type Subject } from "./examine.ts";
export { diagnoseSubscriber, type SubscriberState } from "./subject/subscriber-state.ts";
export {
  type Asked,
  type Asker,
  askNode,
  type NodeStep,
  readTrailAnswer,
  type Told,
  type TrailAnswer,
} from "./trail/ask-node.ts";
export { type Exchange, endOf, exchangeOf, exchangesOf, startOf, summaryOf } from "./trail/exchange.ts";
export { exchangesAmong } from "./trail/exchanges-among.ts";
export { type Gathered, type GatherOptions, gather } from "./trail/gather.ts";
export {
  climbing,
  type LadderOptions,
  labelOf,
  ladder,
  participantsOf,
  printable,
  type Rung,
  rungsOf,
} from "./trail/ladder.ts";
export type { TrailNode } from "./trail/trail-node.ts";

export { lintHot } from "./checks/hot/lint-hot.ts";
export {
  MODEL_FILES,
  MODEL_FOLDER,
  type ModelFile,
  type ModelReading,
  modelOf,
  readModel,
  type VnfModel,
} from "./model/model.ts";
export type { Network, OutsideParty, Port, Vdu, Zone } from "./model/schemas.ts";
export { type SecurityRule, securityRules } from "./model/security-rules.ts";
export { type Fault, formatFault } from "./model/yaml-file.ts";
export {
  cellMap,
  cellSizes,
  describeTolerance,
  hostCap,
  hostsNeeded,
  POOL_MAX,
  type Tolerance,
} from "./placement/cells.ts";
export {
  exceeds,
  formatShare,
  readShare,
  type Share,
  type ShareReading,
  smallestPool,
} from "./placement/share.ts";
export { isAligned, scalingSteps } from "./placement/steps.ts";
export { hostsPerZone, zoneMap } from "./placement/zones.ts";
export { type HeatParameters, heatParameters } from "./plan/heat-parameters.ts";
export {
  type PoolPlan,
  type PoolPlanning,
  type PoolRequest,
  planPool,
  type Refusal,
} from "./plan/pool-plan.ts";
export { type Quota, quotasOf } from "./plan/quotas.ts";
export {
  type AvailabilityZone,
  planVnf,
  type VnfPlan,
  type VnfPlanning,
  type VnfRequest,
  type ZonePlan,
} from "./plan/vnf-plan.ts";

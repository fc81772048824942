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

export {
  cellMap,
  cellSizes,
  hostCap,
  hostsNeeded,
  POOL_MAX,
  type Tolerance,
} from "./placement/cells.ts";
export { exceeds, formatShare, readShare, type Share, type ShareReading } from "./placement/share.ts";
export { isAligned, scalingSteps } from "./placement/steps.ts";
export { hostsPerZone, zoneMap } from "./placement/zones.ts";

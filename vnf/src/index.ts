export { lintHot } from "./checks/hot/lint-hot.ts";
export { type Signer, verifyDetached } from "./csar/cms.ts";
export { splitSignature } from "./csar/manifest.ts";
export { MANIFEST_FILE, META_FILE, type PackageSource, packageFiles } from "./csar/package-files.ts";
export { type PackageReading, readPackage } from "./csar/read-package.ts";
export {
  monitoringExtras,
  readPackageSource,
  type SourceReading,
  type SourceRequest,
} from "./csar/read-source.ts";
export { pemOf, signPackage, wrapPackage } from "./csar/sign-package.ts";
export { type PackageCheck, type SignatureState, validatePackage } from "./csar/validate-package.ts";
export { readZip, ZIP_LIMITS, type ZipLimits, type ZipReading } from "./csar/zip-reader.ts";
export { writeZip } from "./csar/zip-writer.ts";
export { auditPlacement, type PlacementAudit, type PoolPlacement } from "./lcm/audit.ts";
export { type Check, refusalsIn } from "./lcm/check.ts";
export {
  type Deployment,
  type DeploymentReading,
  type DeploymentRequest,
  readDeployment,
} from "./lcm/deployment.ts";
export { HeatDriver, type HeatDriverModules } from "./lcm/heat-driver.ts";
export { poolsOf } from "./lcm/heat-instance.ts";
export { type ImageUpload, uploadImage } from "./lcm/image-upload.ts";
export { done, failed, type Outcome, type Progress, type Run } from "./lcm/outcome.ts";
export { type PreflightModules, preflight } from "./lcm/preflight.ts";
export { volumeOf } from "./lcm/preflight-quota.ts";
export { planScaling, type ScaleOptions, type ScalePlanning, scalePool } from "./lcm/scale.ts";
export type {
  PoolChange,
  PoolState,
  Upgrade,
  VnfDriver,
  VnfInstance,
  VnfMember,
} from "./lcm/vnf-driver.ts";
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
export { type Dashboard, grafanaDashboard } from "./monitoring/dashboard.ts";
export { dashboards } from "./monitoring/dashboards.ts";
export {
  MONITORING_FOLDER,
  monitoringFiles,
  PROMETHEUS_FILE,
  TARGETS_FILE,
} from "./monitoring/monitoring-files.ts";
export { Cinder } from "./openstack/cinder.ts";
export type { Cloud, CloudReading } from "./openstack/cloud.ts";
export { type CloudSources, readCloud } from "./openstack/cloud-config.ts";
export { OpenStackError, type OpenStackFault } from "./openstack/errors.ts";
export { Glance } from "./openstack/glance.ts";
export { Heat } from "./openstack/heat.ts";
export { openHttp } from "./openstack/http.ts";
export { Neutron } from "./openstack/neutron.ts";
export { Nova } from "./openstack/nova.ts";
export { type Pace, realPace } from "./openstack/pace.ts";
export { OpenStackSession } from "./openstack/session.ts";
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
export {
  type Dimensioning,
  type DimensioningRequest,
  type DimensioningResult,
  dimension,
  type Load,
  type PoolDimensioning,
} from "./plan/dimensioning.ts";
export { type HeatParameters, heatParameters } from "./plan/heat-parameters.ts";
export {
  MEMCACHED_COPIES,
  MEMCACHED_RECORD_BYTES,
  type Measured,
  measuredCosts,
  type PoolCost,
} from "./plan/measured-costs.ts";
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
export { type JoinTokenReading, readJoinTokenFile } from "./scaler/join-token-file.ts";
export { queryPrometheus, type Sample } from "./scaler/prometheus.ts";
export { Scaler, type ScalerModules } from "./scaler/scaler.ts";
export {
  readScalerConfig,
  type ScalerConfig,
  type ScalerConfigReading,
} from "./scaler/scaler-config.ts";
export { StateFile } from "./scaler/scaler-state.ts";
export { signatureOf, type Wish } from "./scaler/webhook.ts";
export { openWebhook, type WebhookServer } from "./scaler/webhook-server.ts";
export { descriptorFiles, ETSI_TYPE_FILES, TOP_FILE, TYPES_VERSION } from "./sol001/descriptor.ts";
export { type ImageReading, readImage, type SoftwareImage } from "./sol001/software-image.ts";
export type { PackageFiles } from "./sol001/validate/descriptor-bundle.ts";
export { formatPackageFault, type PackageFault } from "./sol001/validate/descriptor-fault.ts";
export { validateDescriptor } from "./sol001/validate/validate-descriptor.ts";
export {
  PROFILES,
  type Profile,
  readVnfdFacts,
  type VnfdFacts,
  type VnfdFactsReading,
  vnfdFactsOf,
} from "./sol001/vnfd-facts.ts";
export { type Drain, type DrainByCommand, type DrainResult, drainByCommand } from "./sol002/drain.ts";
export {
  type EmServer,
  type EmServerModules,
  type EmServerOptions,
  startEmServer,
} from "./sol002/em-server.ts";
export { type Member, type MembersReading, readMembers } from "./sol002/member.ts";
export {
  find as findSol003,
  healSol003,
  type InstantiateSol003,
  instantiateSol003,
  onboardPackage,
  scaleSol003,
  terminateSol003,
} from "./sol003/operations.ts";
export { Sol003Driver, type Sol003DriverModules } from "./sol003/sol003-driver.ts";
export { type VimConnection, vimConnection } from "./sol003/vim-connection.ts";
export { Vnfm } from "./sol003/vnfm.ts";

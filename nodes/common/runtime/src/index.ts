export { type Clock, type SystemClockOptions, systemClock, type Timer } from "./clock.ts";
export { checkSettings, type SettingsCheck } from "./config/check.ts";
export { type ConfigFileResult, parseConfig } from "./config/config-file.ts";
export { FollowedFile, type FollowedFileOptions, type TableResult } from "./config/followed-file.ts";
export {
  type LoadRequest,
  type LoadResult,
  loadOptions,
  SHARED_CONFIG_PATH,
} from "./config/load.ts";
export type { OptionMeta } from "./config/option.ts";
export { type NodeResolverOptions, nodeResolver } from "./dns/node-resolver.ts";
export type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from "./dns/resolver.ts";
export { type Fault, ImsError } from "./errors.ts";
export { createHealth, type Health, type HealthState } from "./health.ts";
export {
  type LoadMonitor,
  type LoadMonitorOptions,
  type LoadSample,
  loadMonitor,
} from "./load-monitor.ts";
export {
  createLogger,
  LOG_LEVELS,
  type LogDestination,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  SECRET_FIELDS,
  standardOutput,
} from "./log/logger.ts";
export { type LoopPacer, type LoopPacerOptions, loopPacer } from "./loop-pacer.ts";
export { makeFolder } from "./make-folder.ts";
export type { BoundCounter, CounterFamily, CounterFamilyOptions } from "./metrics/counter-family.ts";
export type { BoundHistogram, HistogramFamily, HistogramFamilyOptions } from "./metrics/histogram-family.ts";
export type { Labels, LabelValues } from "./metrics/label-space.ts";
export { registerProcessMetrics } from "./metrics/process-metrics.ts";
export { type GaugeOptions, type MetricsRegister, metricsRegister } from "./metrics/register.ts";
export type { Resource, ResourceAnswer } from "./metrics/resources.ts";
export {
  type ManagementAnswer,
  type ManagementServer,
  type ManagementServerOptions,
  managementServer,
} from "./metrics/server.ts";
export { type FollowModules, followService, type ServiceTarget } from "./pool/follow-service.ts";
export { type NameService, nameService, nameServiceOptions } from "./pool/name-service.ts";
export { type MemberName, memberNameOf } from "./pool/pool-name.ts";
export { poolResolver } from "./pool/pool-resolver.ts";
export type { PoolMember, PoolZone } from "./pool/pool-zone.ts";
export {
  openPools,
  type PoolChange,
  PoolError,
  type PoolFault,
  type Pools,
  type PoolsModules,
} from "./pool/pools.ts";
export {
  type PoolsFile,
  type PoolsFileInput,
  type PoolsFileResult,
  parsePoolsFile,
  replaceFile,
  writePoolsFile,
} from "./pool/pools-file.ts";
export {
  type ReadyMessage,
  type RunServiceRequest,
  runService,
  type ServiceModules,
} from "./run-service.ts";
export { composeServices, type Service, startInOrder, stopInReverse } from "./service.ts";
export { type ServiceOptions, serviceOptions, withServiceOptions } from "./service-options.ts";
export { describeFailure } from "./start-failure.ts";
export {
  Trail,
  type TrailAnswer,
  type TrailExporter,
  type TrailOptions,
  type TrailQuery,
} from "./trail/trail.ts";
export type { Note, NoteFields } from "./trail/trail-note.ts";
export { trailPage } from "./trail/trail-page.ts";
export type {
  TrailContent,
  TrailDirection,
  TrailEnds,
  TrailReader,
  TrailStep,
} from "./trail/trail-step.ts";
export { type IdleOptions, whenIdle } from "./when-idle.ts";

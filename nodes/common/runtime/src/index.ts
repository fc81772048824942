export { type Alarm, type AlarmRecord, alarmRecord } from "./alarm/alarm.ts";
export {
  type AlarmChange,
  type AlarmList,
  type AlarmListener,
  type AlarmListOptions,
  alarmList,
  type Condition,
  type Trouble,
} from "./alarm/alarm-list.ts";
export { registerAlarmMetrics } from "./alarm/alarm-metrics.ts";
export { alarmRoutes } from "./alarm/alarm-routes.ts";
export { alarmWatcher } from "./alarm/alarm-watcher.ts";
export { watchCertificate } from "./alarm/certificate-alarm.ts";
export { type DiskSpace, diskWatcher } from "./alarm/disk-alarm.ts";
export { watchFile } from "./alarm/file-alarm.ts";
export { type HeapUse, watchMemory } from "./alarm/memory-alarm.ts";
export {
  ALARM_TYPES,
  type AlarmType,
  PROBABLE_CAUSES,
  type ProbableCause,
  type Problem,
  type Problems,
  SEVERITIES,
  type Severity,
} from "./alarm/problem.ts";
export { type Clock, type SystemClockOptions, systemClock, type Timer } from "./clock.ts";
export { checkSettings, type SettingsCheck } from "./config/check.ts";
export { type ConfigFileResult, parseConfig } from "./config/config-file.ts";
export { FollowedFile, type FollowedFileOptions, type TableResult } from "./config/followed-file.ts";
export type { LiveOptions } from "./config/live-config.ts";
export {
  type LoadRequest,
  type LoadResult,
  loadOptions,
  SHARED_CONFIG_PATH,
} from "./config/load.ts";
export { nearestName } from "./config/nearest-name.ts";
export { type Option, type OptionMeta, optionsOf } from "./config/option.ts";
export { type ShownOption, shownOptions } from "./config/shown-options.ts";
export { type NodeResolverOptions, nodeResolver } from "./dns/node-resolver.ts";
export type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from "./dns/resolver.ts";
export { dropOldest, oldestKeys } from "./drop-oldest.ts";
export { ENGINE_FLAGS } from "./engine.ts";
export { asError, type Fault, ImsError } from "./errors.ts";
export { createHealth, type Health, type HealthState } from "./health.ts";
export type { ReadyMessage } from "./hosted-node.ts";
export { clientName } from "./http/client-name.ts";
export {
  HttpAdmission,
  type HttpAdmissionOptions,
  type HttpHooks,
  type HttpWork,
} from "./http/http-admission.ts";
export { HttpBusyError } from "./http/http-busy-error.ts";
export { httpAdmissionOptions } from "./http/http-options.ts";
export { isAlive } from "./is-alive.ts";
export {
  type LoadMonitor,
  type LoadMonitorOptions,
  type LoadSample,
  loadMonitor,
} from "./load-monitor.ts";
export { LogLevelSwitch } from "./log/log-level.ts";
export { logRoutes } from "./log/log-routes.ts";
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
export { RecentLines, type RecentLinesOptions } from "./log/recent-lines.ts";
export { type LoopPacer, type LoopPacerOptions, loopPacer } from "./loop-pacer.ts";
export { isLoopback } from "./loopback.ts";
export { makeFolder } from "./make-folder.ts";
export { aboutRoute } from "./management/about-route.ts";
export type { ManagementAnswer, ManagementRequest, ManagementRoute } from "./management/route.ts";
export { type RunningProcess, readRunFiles } from "./management/run-file.ts";
export { LATENCY_SECONDS, SET_UP_SECONDS } from "./metrics/buckets.ts";
export type { BoundCounter, CounterFamily, CounterFamilyOptions } from "./metrics/counter-family.ts";
export type { BoundHistogram, HistogramFamily, HistogramFamilyOptions } from "./metrics/histogram-family.ts";
export type { Labels, LabelValues } from "./metrics/label-space.ts";
export { registerProcessMetrics } from "./metrics/process-metrics.ts";
export { type GaugeOptions, type MetricsRegister, metricsRegister } from "./metrics/register.ts";
export type { Resource, ResourceAnswer } from "./metrics/resources.ts";
export {
  type ManagementServer,
  type ManagementServerModules,
  type ManagementServerOptions,
  managementServer,
} from "./metrics/server.ts";
export {
  type AdmissionClass,
  AdmissionControl,
  type AdmissionControlOptions,
} from "./overload/admission-control.ts";
export { PackedTable } from "./packed/packed-table.ts";
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
export { runtimeProblems } from "./problems.ts";
export { cutTornLine, FileSeries, type FileSeriesOptions } from "./records/file-series.ts";
export { JsonLinesFiles } from "./records/json-lines-files.ts";
export type { RecordSink } from "./records/record-sink.ts";
export { RecordStream, type RecordStreamModules, type RecordStreamOptions } from "./records/record-stream.ts";
export { type RunServiceRequest, runnable, runService } from "./run-service.ts";
export { type Runnable, runServices } from "./run-services.ts";
export { composeServices, type Service, startInOrder, stopInReverse } from "./service.ts";
export type { ServiceModules } from "./service-modules.ts";
export { type ServiceOptions, serviceOptions, withServiceOptions } from "./service-options.ts";
export { describeFailure } from "./start-failure.ts";
export { type StrayErrors, strayErrors } from "./stray-errors.ts";
export {
  CoreTls,
  type CoreTlsFileOptions,
  type CoreTlsModules,
  type CoreTlsOptions,
  handshakeProblem,
  openCoreTls,
} from "./tls/core-tls.ts";
export {
  CORE_TLS_MODES,
  type CoreTlsMode,
  coreTlsFileOptions,
  coreTlsOptions,
} from "./tls/core-tls-options.ts";
export { coreTlsServer, type ServerTls } from "./tls/core-tls-server.ts";
export { CredentialError, type CredentialFault, type Credentials } from "./tls/credentials.ts";
export { TrailKey } from "./trail/identity-key.ts";
export { mergedExchange, type RecentAnswer, type RecentExchange } from "./trail/recent.ts";
export { addressBytes, type SocketEnd, socketEndOf } from "./trail/socket-end.ts";
export {
  type ExportedStep,
  Trail,
  type TrailAnswer,
  type TrailExporter,
  type TrailOptions,
  type TrailQuery,
} from "./trail/trail.ts";
export type { Note, NoteFields } from "./trail/trail-note.ts";
export { recentRoute, trailRoute } from "./trail/trail-route.ts";
export type {
  TrailContent,
  TrailDirection,
  TrailEnds,
  TrailGlance,
  TrailIdentifiers,
  TrailReader,
  TrailStep,
} from "./trail/trail-step.ts";
export { type Flushable, flushAtTurnEnd } from "./turn-end.ts";
export { VERSION } from "./version.ts";
export { type IdleOptions, whenIdle } from "./when-idle.ts";
export { atOnce, inSlices, nextTurn, Slices, type Work } from "./work.ts";
export {
  isWorkerMessage,
  type StrayMessage,
  type WorkerChannel,
  type WorkerMessage,
  workerChannel,
} from "./worker-channel.ts";

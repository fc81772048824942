export { admin } from "./admin.ts";
export type { CassandraControl, RingStart } from "./cluster-manager/cassandra/cassandra-control.ts";
export { type NodetoolOptions, nodetoolControl } from "./cluster-manager/cassandra/nodetool.ts";
export {
  DEFAULT_RING_RULES,
  decideRing,
  type RingFacts,
  type RingRules,
} from "./cluster-manager/cassandra/ring.fsm.ts";
export { leavingKey, RingAgent, type RingAgentOptions } from "./cluster-manager/cassandra/ring-agent.ts";
export type {
  RingDocument,
  RingNode,
  RingOperation,
  RingReport,
} from "./cluster-manager/cassandra/ring-document.ts";
export { RingManager, type RingManagerOptions } from "./cluster-manager/cassandra/ring-manager.ts";
export {
  type ClusterDocument,
  type ClusterNode,
  type NodeState,
  type ServerLists,
  serverLists,
} from "./cluster-manager/cluster-document.ts";
export { ClusterManager, type ClusterManagerOptions } from "./cluster-manager/cluster-manager.ts";
export { type MetricsReaderOptions, metricsReader } from "./cluster-manager/metrics-reader.ts";
export {
  ServersFileAgent,
  type ServersFileAgentOptions,
  type ServersFileReader,
} from "./cluster-manager/servers-file-agent.ts";
export {
  type ClusterUser,
  DEFAULT_RULES,
  decide,
  type Facts,
  type Rules,
} from "./cluster-manager/synchronization.fsm.ts";
export { configAdmin } from "./config-admin.ts";
export type { ConfigChange } from "./config-manager/config-change.ts";
export {
  type ConfigCheck,
  type ConfigProblem,
  type ConfigReader,
  checkConfig,
  type KeyReaders,
  keyReaders,
  secretsOf,
} from "./config-manager/config-check.ts";
export type { ConfigDocument } from "./config-manager/config-document.ts";
export {
  type ApplyResult,
  ConfigManager,
  type ConfigManagerOptions,
  type ConfigResult,
} from "./config-manager/config-manager.ts";
export { ConfigWriter, type ConfigWriterOptions } from "./config-manager/config-writer.ts";
export {
  type FileApplyResult,
  FileConfig,
  type FileConfigOptions,
  type FileState,
} from "./config-manager/file-config.ts";
export { diffSettings, readSettings, type SettingChange, writeSettings } from "./config-manager/settings.ts";
export { EdgeReceiver, type EdgeReceiverOptions } from "./edge/edge-receiver.ts";
export { EdgeSender, type EdgeSenderOptions } from "./edge/edge-sender.ts";
export { type FlowTokenKey, flowTokenKeyOf, turnSecretOf } from "./edge/turn-secret.ts";
export { type Authority, openAuthority } from "./enrolment/authority.ts";
export { CertificateFollower, type CertificateFollowerOptions } from "./enrolment/certificate-follower.ts";
export { type EnrolRequest, enrol, enrolHere } from "./enrolment/enrol.ts";
export { EnrolmentServer, type EnrolmentServerOptions } from "./enrolment/enrolment-server.ts";
export {
  admitToken,
  edgeTokenOf,
  etcdLedger,
  JOIN_TOKEN,
  localLedger,
  newJoinToken,
  reopenToken,
  type TokenLedger,
  type TokenPurpose,
  type TokenUses,
  tokenId,
} from "./enrolment/join-token.ts";
export { type RenewRequest, renew } from "./enrolment/renew.ts";
export { renewalDue } from "./enrolment/renewal.ts";
export {
  type DeleteResult,
  EtcdClient,
  type EtcdClientOptions,
  type EtcdMember,
  type GrantResult,
  type LeaseResult,
  type MembersResult,
  type PutResult,
  type RangeResult,
  type TransactionResult,
} from "./etcd/client.ts";
export { type Endpoint, parseEndpoints } from "./etcd/endpoint.ts";
export { EtcdError, type EtcdFault, type Unavailable } from "./etcd/errors.ts";
export { Follower, type FollowOptions } from "./etcd/follow.ts";
export type { EtcdTls } from "./etcd/transport.ts";
export type { Compare, Operation, Transaction } from "./etcd/txn.ts";
export type { WatchEvent, WatchTurn } from "./etcd/watch.ts";
export type { Entry, KeyRange } from "./etcd/wire.ts";
export {
  type RestoreRequest,
  restoreSnapshot,
  type Snapshot,
  saveSnapshot,
  verifySnapshot,
} from "./members/backup.ts";
export { type EtcdSeat, type EtcdStart, type EtcdStartRequest, etcdStart } from "./members/etcd-start.ts";
export {
  type EdgeAgentOptions,
  type EtcdClusterOptions,
  edgeAgentOptions,
  etcdClusterOptions,
} from "./options.ts";
export { createEdgeAgent } from "./parts.ts";
export { etcdClusterProblems } from "./problems.ts";
export {
  changeQueue,
  type QueueResult,
  queueKey,
  RestartAgent,
  type RestartAgentOptions,
} from "./queue-manager/restart-agent.ts";
export {
  type PoolView,
  type QueueInput,
  type QueueTimes,
  type RestartQueue,
  stepQueue,
} from "./queue-manager/restart-queue.fsm.ts";
export type { MemberRecord } from "./registry/member-record.ts";
export { type PoolsPlan, poolsDocument } from "./registry/pools-document.ts";
export { PoolsWriter, type PoolsWriterOptions } from "./registry/pools-writer.ts";
export { Registration, type RegistrationOptions, type RegistrationState } from "./registry/registration.ts";
export { createEtcdCluster, etcdClientOf } from "./service.ts";

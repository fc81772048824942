export {
  CALENDAR_RETENTION_SECONDS,
  CALENDAR_SHARDS,
  type CalendarAddResult,
  type CalendarEntriesResult,
  type CalendarEntry,
  type CalendarStore,
  minuteOf,
  shardOf,
} from "./calendar-store.ts";
export {
  CassandraCalendar,
  type CassandraCalendarOptions,
  cassandraCalendar,
} from "./cassandra/cassandra-calendar.ts";
export { CassandraStore, cassandraStore } from "./cassandra/cassandra-store.ts";
export { CassandraError, type CassandraFault } from "./cassandra/errors.ts";
export {
  type MigrateOptions,
  type MigrateResult,
  type Migration,
  migrate,
  type Schema,
} from "./cassandra/migrate.ts";
export { type OpenCassandraOptions, openCassandra } from "./cassandra/open-cassandra.ts";
export { DEFAULT_DATA_CENTER } from "./cassandra/opening-session.ts";
export { cassandraOptions } from "./cassandra/options.ts";
export { type Replication, replicationOf } from "./cassandra/replication.ts";
export {
  type BatchEntry,
  type CassandraSession,
  type ExecuteOptions,
  type ExecuteResult,
  type Row,
  type SessionCounters,
  type Statement,
  wasApplied,
} from "./cassandra/session.ts";
export { STORE_SCHEMA } from "./cassandra/store-schema.ts";
export { StoreError, type StoreFault } from "./errors.ts";
export { FallbackStore, fallbackStore } from "./fallback-store.ts";
export {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  MAX_VALUE_BYTES,
  type PutOptions,
  type PutResult,
  type Version,
} from "./kv-store.ts";
export type { MemcachedCounters } from "./memcached/counters.ts";
export { MemcachedStore, type MemcachedStoreOptions, memcachedStore } from "./memcached/memcached-store.ts";
export type { ResyncResult } from "./memcached/resync.ts";
export { parseServers, type ServerAddress } from "./memcached/server-address.ts";
export {
  type FollowServersFileOptions,
  followServersFile,
  readServersFile,
  type ServersFile,
  ServersFileFollower,
} from "./memcached/servers-file.ts";
export { MemoryCalendar, memoryCalendar } from "./memory/memory-calendar.ts";
export { MemoryStore, type MemoryStoreOptions, memoryStore } from "./memory/memory-store.ts";
export { storeProblems } from "./problems.ts";
export { scopedStore } from "./scoped-store.ts";
export { BackgroundCheckpoint } from "./sqlite/background-checkpoint.ts";
export { type CommitResult, GroupCommit } from "./sqlite/group-commit.ts";
export { type OpenDatabaseOptions, openDatabase } from "./sqlite/open-database.ts";
export {
  SQLITE_CALENDAR_TABLE,
  SqliteCalendar,
  type SqliteCalendarOptions,
  sqliteCalendar,
} from "./sqlite/sqlite-calendar.ts";
export { SqliteStore, type SqliteStoreOptions, sqliteStore } from "./sqlite/sqlite-store.ts";
export { measuredCassandra, measuredMemcached, type StoreMetricsOptions } from "./store-metrics.ts";
export { type OperationObserver, TimedStore } from "./timed-store.ts";
export { openStoresTls, type StoresTls, type StoreTls } from "./tls.ts";
export { type Change, type UpdateOptions, type UpdateResult, update } from "./update.ts";
export { type StoreTrouble, type WatchedStoreOptions, watchedStore } from "./watched-store.ts";

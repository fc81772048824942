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
export { MemoryCalendar, memoryCalendar } from "./memory/memory-calendar.ts";
export { MemoryStore, type MemoryStoreOptions, memoryStore } from "./memory/memory-store.ts";
export { type CommitResult, GroupCommit } from "./sqlite/group-commit.ts";
export { type OpenDatabaseOptions, openDatabase } from "./sqlite/open-database.ts";
export { SqliteCalendar, type SqliteCalendarOptions, sqliteCalendar } from "./sqlite/sqlite-calendar.ts";
export { SqliteStore, type SqliteStoreOptions, sqliteStore } from "./sqlite/sqlite-store.ts";
export { type Change, type UpdateOptions, type UpdateResult, update } from "./update.ts";

import type { Schema } from "./migrate.ts";

/**
 * A coordinator asks another replica when one has not answered for 25 ms. Every table needs it: the default is a percentile of
 * what the table has seen, which for a new table is half the read time-out.
 */
const QUICK = "speculative_retry = '25ms'";

/** The tables of the key-value store and of the calendar. */
export const STORE_SCHEMA: Schema = {
  component: "store",
  migrations: [
    {
      name: "entry",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.entry (owner text, key text, live boolean, value blob, version bigint,
         lineage frozen<list<bigint>>, PRIMARY KEY ((owner, key)))
         WITH ${QUICK} AND gc_grace_seconds = 86400 AND compaction = {'class': 'LeveledCompactionStrategy'}`,
      ],
    },
    {
      name: "calendar",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.calendar (minute int, shard int, at timestamp, key text,
         PRIMARY KEY ((minute, shard), at, key))
         WITH ${QUICK} AND gc_grace_seconds = 10800 AND compaction = {'class': 'TimeWindowCompactionStrategy',
         'compaction_window_unit': 'HOURS', 'compaction_window_size': '6'}`,
      ],
    },
  ],
};

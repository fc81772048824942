import type { Schema } from "@ims/store";

/**
 * Tables of subscribers. Every write of them is a lightweight transaction on one partition, so that two homesteads never
 * overwrite each other; what belongs to several partitions is put in order by Provisioning.
 */
export const subscriberSchema: Schema = {
  component: "subscriber",
  migrations: [
    {
      name: "subscribers",
      statements: [
        // record_version: of each provisioning write, null while the first one is in progress. operation: the write in
        // progress. state_version: of each change of the registration or the SQN.
        `CREATE TABLE IF NOT EXISTS keyspace.subscriber (
           impi text PRIMARY KEY,
           identities text,
           credentials blob,
           services text,
           record_version text,
           operation text,
           state text,
           pending boolean,
           server_name text,
           origin_host text,
           origin_realm text,
           sqn text,
           state_version text
         ) WITH comment = 'subscribers: records, registrations, SQNs' AND speculative_retry = '25ms'`,
        // A claim counts while the subscriber's row lists the identity or names the operation.
        `CREATE TABLE IF NOT EXISTS keyspace.subscriber_identity (
           canonical text PRIMARY KEY,
           impi text,
           operation text
         ) WITH comment = 'public identity: its subscriber' AND speculative_retry = '25ms'`,
        // In one partition: every homestead reads them together.
        `CREATE TABLE IF NOT EXISTS keyspace.subscriber_wildcard (
           bucket text,
           canonical text,
           impi text,
           operation text,
           PRIMARY KEY (bucket, canonical)
         ) WITH comment = 'wildcarded public identity: its subscriber' AND speculative_retry = '25ms'`,
        // Something sealed with the key of the pool, so that a homestead with another key is found out.
        `CREATE TABLE IF NOT EXISTS keyspace.subscriber_key (
           id text PRIMARY KEY,
           proof blob
         ) WITH comment = 'the key that secrets are sealed with' AND speculative_retry = '25ms'`,
      ],
    },
    {
      name: "simservs documents",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.simservs (
           canonical text PRIMARY KEY,
           document text,
           version text
         ) WITH comment = 'supplementary services (TS 24.623) by public identity' AND speculative_retry = '25ms'`,
      ],
    },
    {
      name: "subscriptions of several parts",
      statements: [
        // parts: private identities, sets and profiles, null where there is one of each. states: registrations by private
        // identity and set, and SQNs; then state, pending and sqn stand for nothing.
        "ALTER TABLE keyspace.subscriber ADD IF NOT EXISTS parts text",
        "ALTER TABLE keyspace.subscriber ADD IF NOT EXISTS states text",
      ],
    },
  ],
};

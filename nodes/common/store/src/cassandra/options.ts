import { coreTlsFileOptions } from "@ims/runtime";
import { z } from "zod";
import { COPIES } from "./replication.ts";

/** Options of a node that keeps something in Cassandra; `contents`: what its nodes are to that node, for the help. */
export function cassandraOptions(contents: string) {
  return {
    cassandra: z
      .array(z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:]+):[0-9]{1,5}$/, "write host:port"))
      .default([])
      .describe(contents),
    cassandraKeyspace: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,47}$/, "small letters, digits and underscores, 48 at most")
      .default("tidewater")
      .describe("keyspace in Cassandra, made when missing"),
    cassandraDatacenter: z
      .string()
      .min(1)
      .default("datacenter1")
      .describe("nearest data centre of Cassandra"),
    cassandraReplication: z
      .array(z.string().regex(COPIES, "write data centre:copies"))
      .default([])
      .describe(
        "copies of each row by data centre, as name:copies, separated by commas, for a keyspace over several sites, which is made with it and compared with it; takes the place of --cassandra-replication-factor",
      ),
    cassandraTls: z
      .stringbool()
      .default(false)
      .describe("Cassandra is spoken with over TLS, with the certificates of --core-tls-*"),
    ...coreTlsFileOptions,
    cassandraReplicationFactor: z
      .int()
      .min(0)
      .max(9)
      .default(0)
      .describe(
        "copies of each row, when the keyspace has to be made; 0: one for each host of --cassandra, three at most",
      ),
  };
}

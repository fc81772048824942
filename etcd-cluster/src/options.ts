import { isIP } from "node:net";
import { z } from "zod";

const file = (what: string) => z.string().default("").describe(what);

/** Configuration of the process that runs beside the nodes of a machine. */
export const etcdClusterOptions = z.object({
  etcd: z.string().min(1).describe("endpoints of etcd, http(s)://host:port, separated by commas"),
  etcdCa: file("file with the authority of https endpoints (PEM)"),
  etcdCertificate: file("file with our certificate for etcd (PEM)"),
  etcdKey: file("file with its private key (PEM)"),
  root: z
    .string()
    .regex(/^\/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$/, "write /name, without a slash at the end")
    .default("/tidewater")
    .describe("where the keys of this site begin"),
  pool: z.string().min(1).describe("pool of the member on this machine"),
  member: z.string().min(1).describe("its name, <pool>-<number>"),
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, "write IPv4 or IPv6 addresses"))
    .min(1)
    .describe("its addresses, separated by commas"),
  // Not managementAddress: that is where this process itself listens.
  memberManagementAddress: z
    .string()
    .refine((text) => text === "" || isIP(text) !== 0, "write an IPv4 or IPv6 address")
    .default("")
    .describe("address of the management port of its node; default: the first of its addresses"),
  poolsTemplate: file(
    "pools file with domain, pools and services; of its members only those that name a site count, the other one",
  ),
  poolsFile: file("pools file of the nodes, written from the registry; needs --pools-template"),
  memcachedFile: file("servers file of the sprout on this machine, written from the cluster's document"),
  metricsUrl: file("where that sprout answers GET /metrics; needed with --memcached-file"),
  batchSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(10)
    .describe("servers that come or go within this time come or go together, s; the same on all machines"),
  failAfterSeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(20)
    .describe(
      "a memcached server that is absent for so long after its lease has failed, s; the same on all machines",
    ),
  configFile: file("shared_config of the nodes on this machine, written from etcd"),
  restartCommand: z
    .string()
    .default("")
    .describe(
      "program and arguments, separated by spaces, that restart the node of this machine when the restart queue says so; needs --health-url",
    ),
  healthUrl: file("where that node answers GET with 200 when it is well: http://.../health/ready"),
  cassandraNodetool: z
    .string()
    .default("")
    .describe(
      "nodetool for the Cassandra of this machine, with arguments; it is kept in the ring by us then",
    ),
  cassandraLaunch: z.string().default("").describe("program and arguments that start it"),
  cassandraDiscard: z
    .string()
    .default("")
    .describe("program and arguments that end it and remove its data, when it has left the ring"),
  cassandraRingFile: file("how it is to start, written before it does: seeds, bootstrap, replaces (JSON)"),
  cassandraMarkFile: file("beside its data: is there while it belongs to the ring"),
  edges: z
    .array(z.url({ protocol: /^http$/ }))
    .default([])
    .describe(
      "where nodes in the DMZ take what they have to know: http://address:9111, separated by commas; needs --pools-template",
    ),
  edgePool: z.string().default("bono").describe("pool of those nodes"),
  edgeTells: z.array(z.string()).default(["sprout"]).describe("pools that they are told of"),
  authorityFolder: file("where the authority is that lets machines in by join tokens; made when it is empty"),
  enrolPort: z
    .int()
    .min(1)
    .max(65535)
    .default(2378)
    .describe("where it answers, TCP; with --authority-folder"),
  manage: z.boolean().default(true).describe("take part in managing the clusters of memcached and Cassandra"),
});
export type EtcdClusterOptions = z.output<typeof etcdClusterOptions>;

/** Configuration of the process beside a node in the DMZ. */
export const edgeAgentOptions = z.object({
  member: z.string().min(1).describe("name of the member on this machine: bono-1"),
  host: z.string().min(1).describe("its address on the Mw network"),
  port: z.int().min(0).max(65535).default(9111).describe("where the core tells it, TCP"),
  joinTokenFile: file("its one-time join token; removed when it was used").default(
    "/etc/tidewater/join-token",
  ),
  stateFile: file("what seals later bundles (0600)").default("/var/lib/tidewater/cluster/edge-state"),
  configFile: file("shared_config of its node").default("/etc/tidewater/shared_config"),
  poolsFile: file("pools file of its node").default("/etc/tidewater/pools.json"),
  restartCommand: z
    .string()
    .min(1)
    .describe("program and arguments, separated by spaces, that restart its node"),
  healthUrl: z.url().describe("where its node answers GET with 200 when it is well"),
});
export type EdgeAgentOptions = z.output<typeof edgeAgentOptions>;

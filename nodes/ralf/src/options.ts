import { cassandraOptions } from "@ims/store";
import { z } from "zod";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);
const diameterPeer = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:]+)(?::[0-9]{1,5})?$/;
const serverAddress = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?$/;

/** Configuration of ralf: the only truth about it. */
export const ralfOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address the port for charging events is bound to"),
  port: port("HTTP port for charging events", 10_888),
  clients: z
    .array(z.string())
    .default([])
    .describe("addresses or networks beside this machine that may send charging events, separated by commas"),
  clientPools: z
    .array(z.string().toLowerCase())
    .default([])
    .describe(
      "pools in the pools file whose members may too; default: sprout.<home domain> and bono.<home domain>",
    ),
  poolsFile: z
    .string()
    .default("")
    .describe("JSON file with the members of all pools, read again when it changes"),
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  cdf: z
    .array(z.string().regex(diameterPeer, "write host:port"))
    .default([])
    .describe(
      "charging data functions (Rf) as host:port, the primary one first, then the secondary; an agent will do; default: none, only a CDR file",
    ),
  cdfRealm: z.string().default("").describe("Diameter realm of the CDF; default: the home domain"),
  diameterHost: z.string().default("").describe("Origin-Host; default: ralf.<home domain>"),
  // A CDF writes to disk before it answers; the second try goes to the secondary.
  cdfTimeoutMs: z
    .int()
    .min(50)
    .max(30_000)
    .default(2_000)
    .describe("time for one try of an accounting request, ms"),
  cdfWindow: z.int().min(1).max(10_000).default(200).describe("accounting requests under way at a time"),
  interimSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(0)
    .describe("interim records of a session after, s, unless the CDF says otherwise; 0: none"),
  maxSessionSeconds: z
    .int()
    .min(60)
    .max(2_592_000)
    .default(86_400)
    .describe("a session without a sign of life for that long has been lost, s"),
  cdrDir: z.string().default("").describe("directory of the CDR files; default: none are written"),
  cdrMaxMegabytes: z.int().min(1).max(10_000).default(64).describe("a CDR file is finished at, MB"),
  cdrMaxSeconds: z.int().min(1).max(86_400).default(900).describe("a CDR file is finished after, s"),
  stateDir: z.string().min(1).default(".tidewater").describe("directory of the queue on disk"),
  queueLimit: z
    .int()
    .min(1_000)
    .max(1_000_000_000)
    .default(5_000_000)
    .describe("records in the queue beyond which events are refused"),
  memcached: z
    .array(z.string().regex(serverAddress, "write host:port"))
    .default([])
    .describe(
      "memcached servers that a pool of ralfs shares for sessions, as host:port, separated by commas; needs --cassandra for the calendar",
    ),
  memcachedTls: z
    .stringbool()
    .default(false)
    .describe("memcached is spoken with over TLS, with the certificates of --core-tls-*"),
  ...cassandraOptions(
    "nodes of the Cassandra cluster that a pool of ralfs shares for sessions and their calendar, as host:port, separated by commas; default: the state directory",
  ),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9106),
});
export type RalfOptions = z.output<typeof ralfOptions>;

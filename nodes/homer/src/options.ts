import { httpAdmissionOptions } from "@ims/runtime";
import { cassandraOptions } from "@ims/store";
import { z } from "zod";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);

/** Configuration of homer: the only truth about it. */
export const homerOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address of the Ut port, for user equipment"),
  utPort: port("HTTP port for user equipment (Ut, XCAP)", 7887),
  coreHost: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address of the port for application servers and other nodes of the core"),
  corePort: port("HTTP port for application servers and other nodes of the core", 7888),
  corePeers: z
    .array(z.string())
    .default([])
    .describe("addresses or networks beside this machine that may use the core port, separated by commas"),
  corePools: z
    .array(z.string().toLowerCase())
    .default([])
    .describe("pools in the pools file whose members may too; default: sprout.<home domain>"),
  poolsFile: z
    .string()
    .default("")
    .describe("JSON file with the members of all pools, read again when it changes"),
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  authenticationProxies: z
    .array(z.string())
    .default([])
    .describe(
      "addresses or networks of authentication proxies, whose X-3GPP-Asserted-Identity is believed, separated by commas",
    ),
  homestead: z
    .union([z.literal(""), z.url({ protocol: /^https?$/, error: "write http://host:port" })])
    .default("")
    .describe(
      "provisioning API of homestead: checks HTTP Digest and says which identities are one subscriber's; default: there are only authentication proxies",
    ),
  homesteadTokenFile: z.string().default("").describe("file with the token of that API"),
  digestRealm: z.string().default("").describe("realm of HTTP Digest; default: the home domain"),
  nonceKey: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{32})?$/, "32 hex digits")
    .default("")
    .describe("key of Digest nonces, 32 hex digits, one for the pool; default: a new one at each start"),
  defaultDocumentFile: z
    .string()
    .default("")
    .describe("simservs document of subscribers who have not set anything; default: they have none"),
  callLists: z
    .stringbool()
    .default(false)
    .describe("keep call lists, which sprout writes over the core port and subscribers read on Ut"),
  callListLength: z
    .int()
    .min(1)
    .max(2_000)
    .default(1_000)
    .describe("calls in the list of one subscriber; older ones go"),
  callListTtl: z.int().min(60).max(31_536_000).default(604_800).describe("how long a call is kept, s"),
  callListNotifyUrl: z
    .union([z.literal(""), z.url({ protocol: /^https?$/, error: "write http://host:port/path" })])
    .default("")
    .describe('told by POST of {"impu":"<public identity>"} when a call list has changed; default: nobody'),
  callListApiKeyFile: z
    .string()
    .default("")
    .describe("file with a key by which tools read all call lists on Ut (NGV-API-Key); default: none"),
  tlsCertificate: z
    .string()
    .default("")
    .describe("PEM file: the Ut port speaks HTTPS; needs --tls-key")
    .meta({ needs: ["tlsKey"] }),
  tlsKey: z
    .string()
    .default("")
    .describe("PEM file with the private key")
    .meta({ needs: ["tlsCertificate"] }),
  stateDir: z
    .string()
    .min(1)
    .default(".tidewater")
    .describe("directory of the documents when there is no Cassandra"),
  ...cassandraOptions(
    "nodes of the Cassandra cluster with the documents of a pool, as host:port, separated by commas; default: the state directory",
  ),
  ...httpAdmissionOptions("Ut and the core port together"),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9104),
});
export type HomerOptions = z.output<typeof homerOptions>;

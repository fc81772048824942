import { coreTlsOptions, nameServiceOptions } from "@ims/runtime";
import { cassandraOptions } from "@ims/store";
import { z } from "zod";
import { analyticsOptions } from "./analytics/analytics-options.ts";
import { emergencyOptions } from "./ecscf/options.ts";
import { hostedServerOptions } from "./hosted-server-options.ts";
import { mmtelOptions } from "./mmtel/options.ts";
import { numberOptions } from "./routing/number-options.ts";
import { sessionTimerOptions } from "./scscf/session-timer-options.ts";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);
const seconds = (what: string, usual: number) => z.int().min(1).max(86_400_000).default(usual).describe(what);
const serverAddress = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?$/;

/** Configuration of sprout: the only truth about it. */
export const sproutOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address the SIP ports are bound to"),
  advertisedHost: z
    .string()
    .default("")
    .describe(
      "address or name in our own SIP URIs, of a pool member <pool>-<number>.<pool>.<domain>; default: the bound address",
    ),
  corePeers: z
    .array(z.string().min(1).toLowerCase())
    .default([])
    .describe(
      "addresses that may send to sprout, separated by commas; loopback, the bound address and members of pools always may",
    ),
  ...nameServiceOptions,
  ...coreTlsOptions,
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  aliasDomains: z
    .array(z.string().toLowerCase())
    .default([])
    .describe("further domains whose users are ours, separated by commas"),
  icscfPort: port("I-CSCF SIP port (TCP and UDP)", 5052),
  scscfPort: port("S-CSCF SIP port (TCP and UDP)", 5054),
  scscfUri: z
    .string()
    .default("")
    .describe(
      "SIP URI of the S-CSCF, its name at the HSS; one for a whole pool; default: its TCP port, of a pool member scscf.<pool>",
    ),
  icscfUri: z
    .string()
    .default("")
    .describe("SIP URI of the I-CSCF; default: its TCP port, of a pool member icscf.<pool>"),
  externalIcscfUri: z
    .string()
    .default("")
    .describe(
      "SIP URI of an I-CSCF of somebody else, which requests for users of ours are sent to; default: our own",
    ),
  scscfFile: z
    .string()
    .default("")
    .describe("JSON list of S-CSCFs to select from: uri, capabilities, priority, weight; default: this one"),
  hssPeer: z
    .array(z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:]+)(?::[0-9]{1,5})?$/, "write host:port"))
    .min(1)
    .default(["127.0.0.1:3868"])
    .describe("Diameter peers for Cx as host:port, separated by commas, preferred one first"),
  hssPool: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9.-]*$/, "a domain name")
    .default("")
    .describe(
      "pool of Diameter peers for Cx, found by SRV and followed as members come and go; takes the place of --hss-peer",
    ),
  hssTls: z
    .stringbool()
    .default(false)
    .describe(
      "Diameter to the HSS over TLS, with the certificates of --core-tls-*; a pool is found by _diameters._tcp then",
    ),
  hssRealm: z.string().default("").describe("Diameter realm of the HSS; default: the home domain"),
  hssHost: z.string().default("").describe("Origin-Host of the HSS; default: whoever serves the realm"),
  hssTimeoutMs: z.int().min(50).max(30_000).default(1_000).describe("time for one try of a Cx request, ms"),
  diameterHost: z
    .string()
    .default("")
    .describe("Origin-Host of this node; default: its name in the pool, else sprout.<home domain>"),
  // MD5 on top: SIPp and older UEs take the first challenge without looking further.
  digestAlgorithms: z
    .array(z.enum(["SHA-512-256", "SHA-256", "MD5"]))
    .min(1)
    // sip.js 0.21 and baresip 1.0 give up on a second challenge with an algorithm they do not know (RFC 8760 §2.4 says ignore it).
    .default(["MD5"])
    .describe("SIP digest algorithms offered, preferred one first"),
  minExpires: seconds("shortest registration, s", 60),
  maxExpires: seconds("longest registration, s", 3600),
  maxBindings: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("simultaneous contacts of one implicit registration set"),
  unregisteredSeconds: seconds("how long the profile of an unregistered user is kept, s", 300),
  confirmReregistrations: z.boolean().default(true).describe("tell the HSS of re-registrations too"),
  allowForeignDomains: z
    .stringbool()
    .default(false)
    .describe("send requests to other domains by DNS; otherwise they are answered 404"),
  scscfTimeoutMs: z
    .int()
    .min(500)
    .max(60_000)
    .default(10_000)
    .describe("an S-CSCF that has not answered a REGISTER by then is replaced by another one, ms"),
  localLookup: z
    .boolean()
    .default(true)
    .describe("find users registered with our own S-CSCF without asking the HSS"),
  reuseAuthorization: z
    .boolean()
    .default(true)
    .describe("answer a challenge without asking the HSS for the S-CSCF again"),
  sharedIfcFile: z
    .string()
    .default("")
    .describe(
      "XML file of the filter criteria that profiles name by SharedIFCSetID, followed while it changes",
    ),
  fallbackIfcFile: z
    .string()
    .default("")
    .describe(
      "XML file of the filter criteria for requests that meet none of their user, followed while it changes",
    ),
  rejectIfNoMatchingIfcs: z
    .stringbool()
    .default(false)
    .describe("answer 403 to a request that meets no filter criteria although its user has some"),
  dummyApplicationServer: z
    .string()
    .default("")
    .describe("server name in filter criteria that stands for no application server"),
  asTimeoutContinuedMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(2_000)
    .describe(
      "how long an application server may be silent when the session goes on without it, ms; four times as long for other methods than INVITE",
    ),
  asTimeoutTerminatedMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(4_000)
    .describe("the same when the session ends with it, ms"),
  lessPreferredContacts: z
    .enum(["later", "together"])
    .default("later")
    .describe(
      "contacts of one user that suit the caller's preferences (Accept-Contact) less than others of the same q are tried when those have failed, or with them",
    ),
  // Long enough to answer, and well before a caller gives up.
  contactRingSeconds: z
    .int()
    .min(0)
    .max(170)
    .default(20)
    .describe(
      "how long contacts ring before those of the same user that are to be tried after them, s; 0: until they fail",
    ),
  ...sessionTimerOptions,
  minSubscription: seconds("shortest subscription to the registration event package, s", 60),
  // What UEs and P-CSCFs ask for (TS 24.229 §5.1.1.3, §5.2.3); it ends with the registration in any case.
  maxSubscription: seconds("longest subscription to the registration event package, s", 600_000),
  ...mmtelOptions,
  ...hostedServerOptions,
  ...numberOptions,
  ...emergencyOptions,
  ...analyticsOptions,
  gruuKey: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{32})?$/, "32 hex digits")
    .default("")
    .describe("key of temporary GRUUs, 32 hex digits, one for the pool; default: a new one at each start")
    .meta({ secret: true }),
  profileCache: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(5_000)
    .describe(
      "user profiles kept parsed in memory; one that differs from others in its identities only needs no place",
    ),
  resourcePriorityFile: z
    .string()
    .default("")
    .describe(
      "JSON file of the Resource-Priority namespaces that count here; default: those of RFC 4412, RFC 7135 and RFC 8101",
    ),
  overloadTargetMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe("how long a message may wait to be handled before new work is refused, ms; 0: never refuse")
    .meta({ reload: "hot" }),
  // Far below what one processor serves, and above what a starved test machine is asked for.
  overloadFloor: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(200)
    .describe("new requests a second that are taken whatever the delay is")
    .meta({ reload: "hot" }),
  overloadAnswerTargetMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(500)
    .describe(
      "how long a REGISTER may wait for its answer before further ones are refused, ms; 0: no matter",
    ),
  stateDir: z
    .string()
    .default("")
    .describe("directory where one sprout keeps registrations beyond its end; default: only in memory"),
  memcached: z
    .array(z.string().regex(serverAddress, "write host:port"))
    .default([])
    .describe(
      "memcached servers that a pool of sprouts shares, as host:port, separated by commas, written alike on every member",
    ),
  memcachedFile: z
    .string()
    .default("")
    .describe(
      "JSON file with the memcached servers, followed while it changes; takes the place of --memcached",
    ),
  memcachedTls: z
    .stringbool()
    .default(false)
    .describe("memcached is spoken with over TLS, with the certificates of --core-tls-*"),
  ...cassandraOptions(
    "nodes of the Cassandra cluster with the durable copy of registrations and the expiry calendar, as host:port, separated by commas",
  ),
  durableWrites: z
    .enum(["preferred", "required"])
    .default("preferred")
    .describe(
      "a registration that cannot be written durably now is accepted and written later (preferred) or refused (required)",
    ),
  ralf: z
    .array(z.url({ protocol: /^http$/, error: "write http://host:port" }))
    .default([])
    .describe(
      "ralf nodes that charging events go to, as http://host:port, separated by commas; default: no charging",
    ),
  chargingNodes: z
    .array(z.enum(["S-CSCF", "E-CSCF", "I-CSCF", "BGCF"]))
    .default(["S-CSCF", "E-CSCF"])
    .describe(
      "functional entities of sprout that report to ralf, separated by commas: S-CSCF, E-CSCF, I-CSCF, BGCF; with BGCF it stays in the dialogs of its calls",
    ),
  chargingMethods: z
    .array(z.string().toUpperCase())
    .default(["INVITE", "MESSAGE", "REGISTER", "SUBSCRIBE", "PUBLISH"])
    .describe("methods that are charged, separated by commas"),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9102),
});
export type SproutOptions = z.output<typeof sproutOptions>;

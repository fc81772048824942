import { httpAdmissionOptions } from "@ims/runtime";
import { cassandraOptions } from "@ims/store";
import { z } from "zod";
import { isNamedNode } from "./core-view/core-nodes.ts";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);
const text = (what: string) => z.string().default("").describe(what);
const url = (what: string) =>
  z
    .union([z.literal(""), z.url({ protocol: /^https?$/, error: "write http://host:port" })])
    .default("")
    .describe(what);
const ranges = (what: string) =>
  z
    .array(z.string().regex(/^\+?[0-9]{3,15}-\+?[0-9]{3,15}$/, "write FIRST-LAST"))
    .default([])
    .describe(what);

/** Configuration of ellis: the only truth about it. */
export const ellisOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address of the HTTP and HTTPS ports"),
  port: port("HTTP port", 8080),
  tlsPort: port("HTTPS port, open when there is a certificate", 8443),
  tlsCertificate: text("file with the certificate chain of the HTTPS port (PEM)").meta({ needs: ["tlsKey"] }),
  tlsKey: text("file with its private key (PEM)").meta({ needs: ["tlsCertificate"] }),
  trustedProxies: z
    .array(z.string())
    .default([])
    .describe(
      "addresses or networks of reverse proxies whose X-Forwarded-* is believed, separated by commas",
    ),
  allowedOrigins: z
    .array(z.string())
    .default([])
    .describe(
      "origins beside our own whose pages may change something, such as https://portal.example.com, separated by commas",
    ),
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  homestead: url("provisioning API of homestead; needed"),
  homesteadTokenFile: text("file with the token of that API"),
  homer: url("core port of homer, for simservs documents; default: there are none"),
  applicationServer: z
    .string()
    .regex(/^(?:sips?:[^\s<>"]+)?$/, "an application server is a SIP URI")
    .default("")
    .describe("SIP URI that INVITEs of new numbers go to by an iFC; default: new numbers have no iFC"),
  numbers: ranges("numbers that are given out, as FIRST-LAST, separated by commas"),
  pstnNumbers: ranges("numbers given out to who asks for one that the PSTN reaches, as +FIRST-+LAST"),
  numbersPerAccount: z.int().min(1).max(200).default(50).describe("numbers an account may have"),
  signupCodeFile: text(
    "file with the code that makes an account, made when missing; default: ellis-signup-code in the state directory",
  ),
  apiKeyFile: text(
    "file with the key of NGV-API-Key, for operators, made when missing; default: ellis-api-key in the state directory",
  ),
  cookieKeyFile: text(
    "file with the key of session cookies, one for the pool, made when missing; default: ellis-cookie-key in the state directory",
  ),
  sessionHours: z.int().min(1).max(720).default(24).describe("how long a session lasts"),
  passwordCost: z
    .int()
    .min(12)
    .max(18)
    .default(15)
    .describe("cost of a guess at a password: log2 of scrypt's N; each step takes twice the time and memory"),
  mailProgram: text(
    "program that sends a mail given to it as sendmail does (-t -i), for forgotten passwords; default: there is no recovery",
  ),
  mailSender: text("From of these mails; default: ellis@<home domain>"),
  portalUrl: url(
    "page that such a mail links to, the portal for one, with email and token as query parameters; default: no link",
  ),
  turnUris: z
    .array(
      z.string().regex(/^turns?:[^\s?,]+(?:\?transport=(?:udp|tcp))?$/, "write turn:HOST:PORT?transport=udp"),
    )
    .default([])
    .describe("TURN servers that users get credentials for, as URIs of RFC 7065, separated by commas"),
  turnSecretFile: text(
    "file with the secret that these servers share with us: static-auth-secret of coturn",
  ).meta({ needs: ["turnUris"] }),
  turnCredentialHours: z
    .int()
    .min(1)
    .max(72)
    .default(12)
    .describe("how long credentials for TURN are good; a call that lasts longer loses its relay"),
  phoneServers: z
    .array(
      z
        .string()
        .regex(
          /^wss?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$|^wss?:\/\/\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/,
          "write wss://HOST:PORT",
        ),
    )
    .default([])
    .describe(
      "SIP over WebSocket of P-CSCFs that the softphone page goes to, as wss://host:port, preferred one first, separated by commas; default: there is no softphone",
    ),
  coreNodes: z
    .array(
      z
        .string()
        .refine(isNamedNode, "write NAME=URL of a management port, such as sprout-1=http://10.0.0.5:9102"),
    )
    .default([])
    .describe(
      "management ports of the nodes that the portal shows, as NAME=URL, separated by commas; a name begins with what the node is",
    ),
  corePoolsFile: text(
    "pools file whose members the portal shows, at their usual management ports, read again when it changes",
  ),
  coreRunDir: text("folder where the nodes of this machine say which management port they have (--run-dir)"),
  coreTokenFile: text("file with the management token of the nodes; needed for those beyond loopback"),
  corePatienceMs: z
    .int()
    .min(100)
    .max(10_000)
    .default(2_000)
    .describe("how long a node may take to say how it is before the portal shows the others without it, ms"),
  auditDays: z
    .int()
    .min(1)
    .max(3_650)
    .default(365)
    .describe("how long it is kept what staff did in the portal"),
  importMegabytes: z
    .int()
    .min(1)
    .max(1_024)
    .default(32)
    .describe("size of a CSV file of subscribers that the portal takes; it is on disk while it is imported"),
  importRows: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100_000)
    .describe("rows of such a file; their identities are in memory while it is imported"),
  stateDir: z
    .string()
    .min(1)
    .default(".tidewater")
    .describe("directory of keys, and of the accounts when there is no Cassandra"),
  ...cassandraOptions(
    "nodes of the Cassandra cluster with the accounts of a pool, as host:port, separated by commas; default: the state directory",
  ),
  ...httpAdmissionOptions("the HTTP and HTTPS ports together"),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9105),
});
export type EllisOptions = z.output<typeof ellisOptions>;

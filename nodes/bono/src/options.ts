import { coreTlsOptions, nameServiceOptions } from "@ims/runtime";
import { z } from "zod";
import { mediaOptions } from "./media-gateway/media-options.ts";
import { emergencyNumberOf } from "./pcscf/emergency-numbers.ts";
import { sessionTimerOptions } from "./pcscf/session-timer-options.ts";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);
const host = z.string().regex(/^\S*$/, "a host name or an address").toLowerCase();
const pem = (what: string) =>
  z
    .string()
    .refine(
      (text) => text === "" || Buffer.from(text, "base64").includes(`${what}-----`),
      `the base64 of a PEM ${what}`,
    )
    .default("");

/** Configuration of bono: the only truth about it. */
export const bonoOptions = z.object({
  host: host.min(1).default("127.0.0.1").describe("address the access side (user equipment) is bound to"),
  advertisedHost: host
    .default("")
    .describe("address or name of the access side in our SIP URIs; default: the address a request came to"),
  sipPort: port("access side, UDP and TCP", 5060),
  tlsPort: port("access side, TLS; opened when a certificate is given", 5061),
  wsPort: port("access side, SIP over WebSocket", 5062),
  wssPort: port("access side, SIP over secure WebSocket; opened when a certificate is given", 5063),
  tlsCertFile: z
    .string()
    .default("")
    .describe("file with the PEM certificate chain for TLS and WSS")
    .meta({ needs: ["tlsKeyFile", "tlsKey"] }),
  tlsKeyFile: z
    .string()
    .default("")
    .describe("file with the PEM private key for TLS and WSS")
    .meta({ needs: ["tlsCertFile", "tlsCert"] }),
  tlsCert: pem("CERTIFICATE")
    .describe(
      "that chain itself, its PEM in base64, for a configuration that machines share; a file goes before it",
    )
    .meta({ needs: ["tlsKeyFile", "tlsKey"] }),
  tlsKey: pem("PRIVATE KEY")
    .describe("the key itself, its PEM in base64")
    .meta({ secret: true, needs: ["tlsCertFile", "tlsCert"] }),
  sharedAccess: z
    .stringbool()
    .default(false)
    .describe(
      "other processes listen on the ports of the access side as well, and the kernel gives each its share of the UEs: workers of one address",
    ),
  accessUdpSocket: z
    .int()
    .min(-1)
    .max(1_048_576)
    .default(-1)
    .describe(
      "with --shared-access: descriptor of the bound UDP socket of the access side, which whoever starts the workers keeps open so that a UE stays with its worker; -1: none",
    ),
  coreHost: host
    .default("")
    .describe("address the trusted side is bound to; default: that of the access side"),
  coreAdvertisedHost: host
    .default("")
    .describe(
      "address or name of the trusted side in our SIP URIs, of a pool member <pool>-<number>.<pool>.<domain>; default: the bound address",
    ),
  corePort: port("trusted side, TCP", 5058),
  corePeers: z
    .array(host)
    .default([])
    .describe(
      "addresses that may send to the trusted side, separated by commas; the I-CSCF's and members of pools always may",
    ),
  coreNextHops: z
    .array(host)
    .default([])
    .describe("further hosts that requests inside a dialog may go to; those of Service-Routes are known"),
  ...nameServiceOptions,
  ...coreTlsOptions,
  homeDomain: host.min(1).default("example.com").describe("home network domain name"),
  visitedNetworkId: z
    .string()
    .regex(/^[A-Za-z0-9\-.!%*_+`'~]*$/, "a token")
    .default("")
    .describe("P-Visited-Network-ID and orig-ioi of this network; default: the home domain"),
  icscfUri: z
    .string()
    .min(1)
    .default("sip:127.0.0.1:5052;transport=tcp")
    .describe("where REGISTER requests go"),
  ibcfPeersFile: z
    .string()
    .default("")
    .describe(
      "JSON file of the networks and PBXs that calls go to and come from; makes an IBCF; default: none",
    ),
  ibcfHost: host
    .default("")
    .describe("address that the side of these peers is bound to; default: that of the access side"),
  ibcfAdvertisedHost: host
    .default("")
    .describe("address or name of the side of the peers in our SIP URIs; default: the bound address"),
  ibcfPort: port("side of the peers, UDP and TCP; opened when there is a file of peers", 5070),
  ibcfTlsPort: port("side of the peers, TLS; opened when a certificate is given too", 5071),
  ibcfCaFile: z
    .string()
    .default("")
    .describe(
      "file with the PEM certificates of the authorities that vouch for peers reached by TLS; default: those of Node",
    ),
  ecscfUri: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "SIP URIs of E-CSCFs, separated by commas, preferred one first: where emergency requests go; default: they are answered 380 (Alternative Service)",
    ),
  emergencyNumbers: z
    .array(z.string().refine((text) => emergencyNumberOf(text) !== undefined, "write 112 or 110=sos.police"))
    .default([])
    .describe(
      "numbers that are emergency numbers here, separated by commas, each with its service (RFC 5031): 112, 110=sos.police; urn:service:sos always is one",
    ),
  emergencyFrom: z
    .enum(["anyone", "registered", "emergencyRegistered"])
    .default("anyone")
    .describe(
      "whose emergency requests are taken: anyone's, also without registration; of who is registered; only after an emergency registration",
    ),
  emergencyPriority: z
    .string()
    .regex(/^(?:esnet\.[0-4])?$/, "esnet.0 to esnet.4")
    .default("esnet.1")
    .describe("Resource-Priority that emergency requests get (RFC 7135); empty: none"),
  flowTokenKey: z
    .string()
    .default("")
    .describe(
      "key of the flow tokens, hex or base64, at least 128 bits, one for the pool; default: a new one at each start",
    )
    .meta({ secret: true }),
  // RFC 5626 §4.4.1 and §4.4.2: 95 to 120 s over connections, 24 to 29 s over UDP.
  keepAliveSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(120)
    .describe("keep-alive interval asked of UEs on connections, s; 0: none"),
  udpKeepAliveSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(29)
    .describe("keep-alive interval asked of UEs on UDP, s; 0: none"),
  // Longer than the longest usual registration: a UE need not send anything before it registers again.
  idleSeconds: z
    .int()
    .min(30)
    .max(86_400)
    .default(3_900)
    .describe("connections without traffic are closed after, s"),
  maxConnectionsPerSource: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe("connections from one address"),
  maxUdpFlows: z
    .int()
    .min(1_000)
    .max(10_000_000)
    .default(500_000)
    .describe(
      "addresses of UEs over UDP that are kept; beyond them one that was silent for long gives way, and its UE has to register again",
    ),
  // Far above what one address of people sends; a load generator on one address stays below it too.
  strangersPerSecond: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(5_000)
    .describe("requests per second from one address without a registration; 0: no limit")
    .meta({ reload: "hot" }),
  passwordTries: z
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .describe(
      "failed answers to a challenge by source and user before only one a second is let through; 0: no limit",
    ),
  // Off: it doubles the messages of a registration, and who was deregistered is refused by the S-CSCF anyway (ADR 23).
  subscribeToRegistrations: z
    .stringbool()
    .default(false)
    .describe(
      "subscribe to the registration event package for each registration, to know of those that the network ends or changes",
    ),
  // Off: it keeps a little of every call, and needs the subscriptions (ADR 28).
  releaseCalls: z
    .stringbool()
    .default(false)
    .describe(
      "end the calls of UEs that the network deregisters; needs --subscribe-to-registrations, by which that is known",
    )
    .meta({ needs: ["subscribeToRegistrations"] }),
  ...sessionTimerOptions,
  ...mediaOptions,
  earlyMedia: z
    .enum(["unsaid", "sendrecv", "sendonly", "recvonly", "inactive"])
    .default("unsaid")
    .describe(
      "P-Early-Media that provisional answers of UEs get when the caller's network understands it (RFC 5009); unsaid: none",
    ),
  resourcePriorityFile: z
    .string()
    .default("")
    .describe(
      "JSON file of the Resource-Priority namespaces that count here; default: those of RFC 4412, RFC 7135 and RFC 8101",
    ),
  drainStatus: z
    .enum(["503", "305"])
    .default("503")
    .describe("answer to REGISTER while this node ends; 305: IMS UEs select another P-CSCF"),
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
  // Longer brings little: what is left is optimised in the first seconds of service.
  rehearsalMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(400)
    .describe(
      "with a pools file, where others serve meanwhile: before it is ready a node registers and calls with itself for so long, ms, so that UEs that come all at once are served as fast as later ones; 0: not at all",
    ),
  ralf: z
    .array(z.url({ protocol: /^http$/, error: "write http://host:port" }))
    .default([])
    .describe(
      "ralf nodes that charging events go to, as http://host:port, separated by commas; default: no charging",
    ),
  chargingMethods: z
    .array(z.string().toUpperCase())
    .default(["INVITE", "MESSAGE", "REGISTER", "SUBSCRIBE", "PUBLISH"])
    .describe("methods that are charged, separated by commas"),
  managementAddress: z.string().min(1).default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9101),
});
export type BonoOptions = z.output<typeof bonoOptions>;

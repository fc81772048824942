import { CORE_TLS_MODES, httpAdmissionOptions } from "@ims/runtime";
import { cassandraOptions } from "@ims/store";
import { z } from "zod";

const port = (what: string, usual: number) => z.int().min(0).max(65535).default(usual).describe(what);
const capabilities = (what: string) =>
  z.array(z.coerce.number().int().min(0).max(0xffff_ffff)).default([]).describe(what);

/** Configuration of homestead: the only truth about it. */
export const homesteadOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address the Diameter port is bound to"),
  diameterPort: port("Diameter port for Cx (TCP)", 3868),
  diameterTlsPort: port("Diameter port for Cx over TLS, open when there is a certificate", 3869),
  coreTls: z
    .enum(CORE_TLS_MODES)
    .default("off")
    .describe(
      "Cx over TLS with the certificates of --core-tls-*, which CSCFs must have too: on the TLS port beside TCP (accept, use); without a TCP port (require)",
    ),
  tlsCertificate: z.string().default("").describe("file with the certificate chain of the TLS port (PEM)"),
  tlsKey: z.string().default("").describe("file with its private key (PEM)"),
  tlsCa: z
    .string()
    .default("")
    .describe("file with the authorities that peers on the TLS port must have a certificate of (PEM)"),
  cxPeers: z
    .array(z.string())
    .default([])
    .describe("addresses or networks of CSCFs beside this machine, separated by commas"),
  cxPool: z
    .string()
    .toLowerCase()
    .default("")
    .describe("pool in the pools file whose members may use Cx too; default: sprout.<home domain>"),
  poolsFile: z
    .string()
    .default("")
    .describe("JSON file with the members of all pools, read again when it changes"),
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  diameterHost: z.string().default("").describe("Origin-Host; default: homestead.<home domain>"),
  diameterRealm: z.string().default("").describe("Origin-Realm; default: the home domain"),
  stateDir: z
    .string()
    .min(1)
    .default(".tidewater")
    .describe("directory of the subscriber database and its key"),
  subscriberKeyFile: z
    .string()
    .default("")
    .describe(
      "file with the key that K, OPc and password hashes are stored under, made when missing; the same for a whole pool; default: subscribers.key in the state directory",
    ),
  ...cassandraOptions(
    "nodes of the Cassandra cluster that a pool of homesteads shares, as host:port, separated by commas; default: a database in the state directory",
  ),
  seedExamples: z
    .stringbool()
    .default(false)
    .describe("add the two example subscribers; for a lab on loopback only"),
  allowedVisitedNetworks: z
    .array(z.string().toLowerCase())
    .default([])
    .describe("visited networks users may register from, separated by commas; default: all"),
  mandatoryCapabilities: capabilities("capabilities an S-CSCF must have, separated by commas"),
  optionalCapabilities: capabilities("capabilities an S-CSCF should have, separated by commas"),
  ccf: z
    .array(
      z.string().regex(/^aaas?:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:;[a-z]+=[a-z]+)*$/, "write aaa://host"),
    )
    .max(2)
    .default([])
    .describe("charging collection functions that CSCFs are told, primary and secondary one, as aaa://host"),
  cacheSize: z.int().min(1).max(10_000_000).default(50_000).describe("subscribers kept decoded in memory"),
  provisioningHost: z
    .string()
    .default("")
    .describe("address of the provisioning API; default: as host when that is loopback, else 127.0.0.1"),
  provisioningPort: port("HTTP port of the provisioning API", 8889),
  provisioningTokenFile: z
    .string()
    .default("")
    .describe("file with the token callers of the provisioning API must present; needed beyond loopback"),
  ...httpAdmissionOptions("the provisioning API"),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: port("HTTP port for metrics and health", 9103),
});
export type HomesteadOptions = z.output<typeof homesteadOptions>;

import { z } from "zod";
import type { CertificateModules } from "./certificates.ts";
import { lineOf, type Places, put } from "./files.ts";
import { hostOf, localOptions } from "./local-config.ts";
import type { Member } from "./member-file.ts";

/** What homer has in common with the homestead on its machine: as homestead's own. */
const text = z.string().default("").describe("as the node's own");
const schema = z.object({
  managementAddress: z.string().min(1).default("127.0.0.1").describe("as the node's own"),
  provisioningHost: text,
  provisioningPort: z.int().min(1).max(65535).default(8889).describe("as the node's own"),
  cxPeers: text,
  cassandra: text,
});

/** Where homer has what all homers of the site have in common. */
export function homerKeys({ homer }: Places): { readonly nonceKey: string; readonly token: string } {
  return { nonceKey: `${homer}/nonce.key`, token: `${homer}/provisioning.token` };
}

/** Options of homer beside homestead; its keys must be there. @throws MemberError */
export function writeHomerConfig(
  { domain, address, utProxies }: Member,
  { places, own }: CertificateModules,
): void {
  const local = localOptions("homestead", places.localConfig, schema);
  const { nonceKey, token } = homerKeys(places);
  const provisioning = local.provisioningHost === "" ? "127.0.0.1" : local.provisioningHost;
  const lines: readonly (readonly [key: string, value: string])[] = [
    ["home_domain", domain.toLowerCase()],
    ["host", local.managementAddress],
    ["core_host", address],
    ["core_peers", local.cxPeers],
    ["authentication_proxies", utProxies.join(",")],
    ["homestead", `http://${hostOf(provisioning)}:${local.provisioningPort}`],
    ["homestead_token_file", token],
    ["nonce_key", lineOf(nonceKey)],
    ["call_lists", "true"],
    ["cassandra", local.cassandra],
    ["state_dir", places.homer],
    ["management_address", local.managementAddress],
  ];
  put(places.homerConfig, lines.map(([key, value]) => `${key}=${value}\n`).join(""), 0o400);
  own(places.homerConfig, "tidewater-homer");
}

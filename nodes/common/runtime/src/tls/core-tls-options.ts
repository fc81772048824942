import { BlockList, isIP } from "node:net";
import { z } from "zod";

/** Files of a node that speaks TLS with other nodes of the core. */
export const coreTlsFileOptions = {
  coreTlsCertificate: z
    .string()
    .default("")
    .describe("file with the certificate of this node for TLS inside the core, and its chain (PEM)"),
  coreTlsKey: z.string().default("").describe("file with its private key (PEM)"),
  coreTlsCa: z
    .string()
    .default("")
    .describe("file with the authorities that certificates inside the core must be of (PEM)"),
};

/** How a node speaks SIP with other nodes of the core; the steps from off to require are those of a network in service. */
export const CORE_TLS_MODES = ["off", "accept", "use", "require"] as const;
export type CoreTlsMode = (typeof CORE_TLS_MODES)[number];

/** Options of a node that speaks SIP inside the core. */
export const coreTlsOptions = {
  ...coreTlsFileOptions,
  coreTls: z
    .enum(CORE_TLS_MODES)
    .default("off")
    .describe(
      "SIP inside the core over TLS: not at all; taken beside TCP on the same ports (accept); spoken too, TCP still taken (use); nothing else any more (require)",
    ),
  coreTlsNames: z
    .array(z.string().min(1).toLowerCase())
    .default([])
    .describe(
      "names in certificates that are believed from any admitted address, separated by commas; others must name the address or the pool member of it",
    ),
  coreTlsPlainPeers: z
    .array(z.string().refine((text) => networkOf(text) !== undefined, "write an address or a network"))
    .default([])
    .describe(
      "addresses and networks of peers that are spoken with in the clear all the same, separated by commas",
    ),
};

/** Is an address in one of these addresses and networks? */
export function networks(list: readonly string[]): (address: string) => boolean {
  if (list.length === 0) return () => false;
  const found = new BlockList();
  for (const text of list) {
    const network = networkOf(text);
    if (network !== undefined) found.addSubnet(network.address, network.bits, network.family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && found.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}

/** Reads 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32. */
function networkOf(text: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [, address = "", digits] = /^([0-9a-fA-F.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const bits = digits === undefined ? most : Number(digits);
  if (family === 0 || bits > most) return undefined;
  return { address, bits, family: family === 6 ? "ipv6" : "ipv4" };
}

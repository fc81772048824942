import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Element = "pcscf" | "icscf" | "scscf";
/** In the order they start. */
export const elements: readonly Element[] = ["scscf", "icscf", "pcscf"];
export type ElementAddress = { readonly host: string; readonly port: number };
export type PeerAddresses = Readonly<Record<Element | "hss", ElementAddress>>;

/** Addresses of the peer that the bench measures: each element has a loopback address of its own. */
export const peerAddresses: PeerAddresses = {
  pcscf: { host: "127.0.0.2", port: 5060 },
  icscf: { host: "127.0.0.3", port: 4060 },
  scscf: { host: "127.0.0.4", port: 6060 },
  hss: { host: "127.0.0.5", port: 3868 },
};

/**
 * `workers`: SIP workers, and Diameter workers, of each CSCF. `tcp`: listen on TCP too, and use it between the CSCFs.
 * `chosen`: URI of the S-CSCF that the I-CSCF chooses, when it is not Kamailio's.
 */
export type PeerOptions = {
  domain: string;
  directory: string;
  addresses?: PeerAddresses;
  workers?: number;
  dialogs?: boolean;
  tcp?: boolean;
  chosen?: string;
  modules?: string;
};

const debianModules =
  "/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/";

export function scscfUri({ addresses = peerAddresses, tcp }: PeerOptions): string {
  const { host, port } = addresses.scscf;
  return `sip:${host}:${port}${tcp === true ? ";transport=tcp" : ""}`;
}

/** Writes everything the three elements read into `options.directory`; nothing is written anywhere else. */
export function writePeerConfiguration(options: PeerOptions): void {
  const { directory, addresses = peerAddresses } = options;
  const at = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;
  const names = new Map<string, string>([
    ["DOMAIN", options.domain],
    ["RUN", directory],
    ["MODULES", options.modules ?? debianModules],
    ["WORKERS", String(options.workers ?? 2)],
    ["PCSCF", at(addresses.pcscf)],
    ["PCSCF_HOST", addresses.pcscf.host],
    ["ICSCF", at(addresses.icscf)],
    ["SCSCF", at(addresses.scscf)],
    ["HSS_HOST", addresses.hss.host],
    ["HSS_PORT", String(addresses.hss.port)],
    ["TRANSPORT", options.tcp === true ? ";transport=tcp" : ""],
    ["TRACK", options.dialogs === false ? "" : "setflag(2);"],
  ]);
  for (const element of elements) {
    const address = at(addresses[element]);
    names.set("TCP", options.tcp === true ? `tcp_children=2\nlisten=tcp:${address}` : "disable_tcp=yes");
    write(directory, `${element}.cfg`, fill(`${element}.cfg`, names));
  }
  for (const [element, acceptor] of [
    ["icscf", 3869],
    ["scscf", 3870],
  ] as const) {
    names.set("NAME", element);
    names.set("ACCEPTOR_HOST", addresses[element].host);
    names.set("ACCEPTOR_PORT", String(acceptor));
    write(directory, `${element}.xml`, fill("diameter.xml", names));
  }
  writeCapabilities(join(directory, "icscf_db"), options.chosen ?? scscfUri(options));
}

/** The I-CSCF reads the S-CSCFs it may choose from a database; db_text is the one without a server. */
function writeCapabilities(directory: string, scscf: string): void {
  const escaped = scscf.replaceAll(":", "\\:");
  write(
    directory,
    "version",
    "table_name(str) table_version(int)\ns_cscf:6\ns_cscf_capabilities:6\nnds_trusted_domains:1\n",
  );
  write(directory, "s_cscf", `id(int) name(str) s_cscf_uri(str)\n1:first:${escaped}\n`);
  write(directory, "s_cscf_capabilities", "id(int) id_s_cscf(int) capability(int)\n1:1:0\n2:1:1\n");
  write(directory, "nds_trusted_domains", "id(int) trusted_domain(str)\n");
}

function fill(template: string, names: ReadonlyMap<string, string>): string {
  const text = readFileSync(join(import.meta.dirname, template), "utf8");
  return text.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = names.get(name);
    if (value === undefined && name !== "NAMES")
      throw new Error(`${template}: nothing to fill in for ${whole}`);
    return value ?? whole;
  });
}

function write(directory: string, name: string, text: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), text);
}

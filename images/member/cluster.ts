import type { PoolsFileInput } from "@ims/runtime";
import { etcdOptions, isFounder, tlsFilesOf } from "./certificates.ts";
import { lineOf, type Places } from "./files.ts";
import type { Member } from "./member-file.ts";

/** The ports by which the pools of a site are found; those of vnf/model/ports.yaml. */
export const SERVICES: PoolsFileInput["pools"] = [
  { name: "homestead", services: [{ protocol: "diameter", transport: "tcp", port: 3868 }], members: [] },
  {
    name: "sprout",
    services: [
      { protocol: "sip", transport: "tcp", port: 5052 },
      { name: "icscf", protocol: "sip", transport: "tcp", port: 5052 },
      { name: "scscf", protocol: "sip", transport: "tcp", port: 5054 },
      // Answers where there is an emergency file.
      { name: "ecscf", protocol: "sip", transport: "tcp", port: 5057 },
    ],
    members: [],
  },
  { name: "bono", services: [{ protocol: "sip", transport: "tcp", port: 5058 }], members: [] },
];

/** `names`: the pools that this machine has to know; default: all. */
export function poolsTemplate(domain: string, names?: readonly string[]): PoolsFileInput {
  const pools = SERVICES.filter(({ name }) => names?.includes(name) ?? true);
  return { version: 1, domain: domain.toLowerCase(), pools };
}

/**
 * How long a server that leaves is given until its entries are with others: one that ends before counts as failed, and two that fail
 * within one exchange may have held both copies of an entry.
 */
export const STORE_QUIESCE_SECONDS = 300;

const edgeUrl = (address: string): string =>
  `http://${address.includes(":") ? `[${address}]` : address}:9111`;

/** shared_config of the nodes of the core, as etcd has it. */
export function siteConfigPath({ cluster }: Places): string {
  return `${cluster}/shared_config`;
}

/** Options of etcd-cluster on this machine, as a file of key=value lines. `url`: where its node answers /metrics and /health. */
export function clusterConfig(member: Member, places: Places, url: string): string {
  const { role, pool, index, name, address, seeds = [] } = member;
  const memcached = role === "vellum";
  const { etcd, etcdCa, etcdCertificate, etcdKey } = etcdOptions(
    member,
    seeds,
    tlsFilesOf("cluster", places),
  );
  const tls: [key: string, value: string][] = [
    ["etcd_ca", etcdCa],
    ["etcd_certificate", etcdCertificate],
    ["etcd_key", etcdKey],
  ];
  const options: [key: string, value: string][] = [
    ["etcd", etcd],
    ...tls.filter(([, path]) => path !== ""),
    ["pool", memcached ? "memcached" : pool],
    ["member", memcached ? `memcached-${index}` : name],
    ["addresses", address],
  ];
  if (memcached) options.push(["quiesce_seconds", String(STORE_QUIESCE_SECONDS)]);
  else {
    options.push(["pools_template", `${places.run}/pools_template.json`], ["pools_file", places.pools]);
    // The portal reads no configuration of the site.
    if (role !== "ellis")
      options.push(
        ["config_file", siteConfigPath(places)],
        ["restart_command", `/bin/sh /usr/lib/tidewater/restart-node.sh ${places.cluster}/restart`],
        ["health_url", `${url}/health/ready`],
      );
    const management = URL.canParse(url) ? new URL(url).hostname.replaceAll(/[[\]]/g, "") : address;
    if (management !== address) options.push(["member_management_address", management]);
  }
  if (role === "sprout")
    options.push(["memcached_file", places.memcached], ["metrics_url", `${url}/metrics`]);
  if (role === "sprout" && member.edges.length > 0 && lineOf(places.joinToken) !== "")
    options.push(["edges", member.edges.map(edgeUrl).join(",")]);
  if (member.etcdTls === "on" && isFounder(member)) options.push(["authority_folder", places.authority]);
  return `${options.map(([key, value]) => `${key}=${value}`).join("\n")}\n`;
}

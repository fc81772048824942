import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A compute host that runs no virtual machine: its zone, what it offers, and the physical networks its agent reports. */
export interface LabHost {
  readonly name: string;
  readonly zone: string;
  readonly vcpus: number;
  /** MiB */
  readonly memory: number;
  /** GiB */
  readonly disk: number;
  readonly networks: readonly string[];
}

export interface Lab {
  /** State, configuration, logs and process ids; removed with the lab. */
  readonly folder: string;
  /** Loopback address that everything listens on. */
  readonly address: string;
  /** Of every user of the lab. */
  readonly password: string;
  readonly hosts: readonly LabHost[];
}

export const LAB_FOLDER = join(tmpdir(), "tidewater-openstack");
export const PYTHON = "/usr/bin/python3";
export const PYTHON_FOLDER = join(import.meta.dirname, "python");

/** Ports on the address of the lab: the services' own, others for what might run on this machine, too. */
export const PORTS = {
  keystone: 5000,
  placement: 8778,
  nova: 8774,
  neutron: 9696,
  glance: 9292,
  heat: 8004,
  heatCfn: 8000,
  tacker: 9890,
  mariadb: 13306,
  rabbitmq: 15673,
  rabbitmqCluster: 25673,
  epmd: 14369,
  memcached: 11311,
} as const;

const FOLDERS = [
  "pid",
  "log",
  "etc",
  "lock",
  "mysql",
  "rabbitmq",
  "nova/instances",
  "neutron",
  "glance/images",
  "glance/staging",
  "keystone/fernet-keys",
  "keystone/credential-keys",
  "hosts",
  "networks",
  "failed",
];

/** Hosts as told: dmz=8,core=8 makes dmz-1 to dmz-8 and core-1 to core-8; hosts of the DMZ have its network, too. */
export function labHosts(text: string): LabHost[] {
  return text.split(",").flatMap((entry) => {
    const [, zone = "", count = ""] = /^([a-z][a-z0-9-]*)=([1-9]\d?)$/.exec(entry) ?? [];
    if (zone === "") throw new Error(`hosts ${text}: write <zone>=<number>,... with 1 to 99 hosts in a zone`);
    return Array.from({ length: Number(count) }, (_, at) => ({
      name: `${zone}-${at + 1}`,
      zone,
      vcpus: 64,
      memory: 262_144,
      disk: 2000,
      networks: isDmz(zone) ? ["external", "dmz"] : ["external"],
    }));
  });
}

export function isDmz(zone: string): boolean {
  return zone.startsWith("dmz");
}

/** The lab of a folder; a new one is made of the hosts given. */
export function openLab(folder: string, { address, hosts }: Pick<Lab, "address" | "hosts">): Lab {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const file = join(folder, "lab.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Lab;
  const lab: Lab = { folder, address, password: randomBytes(12).toString("hex"), hosts };
  writeFileSync(file, JSON.stringify(lab, undefined, 2), { mode: 0o600 });
  for (const { name, vcpus, memory, disk, networks } of hosts) {
    writeFileSync(join(folder, "networks", name), networks.join(" "));
    writeFileSync(join(folder, "hosts", name), `${vcpus} ${memory} ${disk}`);
  }
  return lab;
}

/** The lab that was made in a folder. */
export function labOf(folder: string): Lab {
  return JSON.parse(readFileSync(join(folder, "lab.json"), "utf8")) as Lab;
}

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

const TEMPLATES = join(import.meta.dirname, "../../heat-templates/user-data");

export interface MachineOptions {
  readonly role: string;
  readonly name: string;
  readonly index: number;
  readonly address: string;
  readonly mac: string;
  /** What Heat would put in the place of each $name of the user data. */
  readonly values: Readonly<Record<string, string>>;
  /** Lines for local_config beside those of the template; a key there takes the place of the template's. */
  readonly local?: Readonly<Record<string, string>>;
  /** Changes to member.json. */
  readonly member?: Readonly<Record<string, unknown>>;
  readonly files?: readonly {
    readonly path: string;
    readonly permissions: string;
    readonly content: string;
  }[];
}

interface CloudConfig {
  readonly write_files: { path: string; permissions: string; content: string; owner?: string }[];
}

/** Writes the config drive of a machine as an ISO 9660 image, as Nova does: user data of heat-templates, one address, its metadata. */
export function configDrive(folder: string, options: MachineOptions): string {
  const { role, name, index, address, mac, values, local = {}, member = {}, files = [] } = options;
  const tree = join(folder, `${name}-drive`);
  const latest = join(tree, "openstack/latest");
  mkdirSync(latest, { recursive: true });
  let text = readFileSync(join(TEMPLATES, `${values["template"] ?? role}.cfg`), "utf8");
  for (const [key, value] of Object.entries(values).sort((a, b) => b[0].length - a[0].length))
    text = text.replaceAll(`$${key}`, value);
  const config = load(text) as CloudConfig;
  for (const file of config.write_files) {
    if (file.path.endsWith("/local_config")) file.content = withLines(file.content, local);
    if (file.path.endsWith("/member.json"))
      file.content = JSON.stringify({ ...(JSON.parse(file.content) as object), ...member });
  }
  config.write_files.push(...files);
  // JSON is YAML.
  writeFileSync(join(latest, "user_data"), `#cloud-config\n${JSON.stringify(config)}\n`);
  const meta = { role, pool: role, index: String(index), cell: "0" };
  writeFileSync(
    join(latest, "meta_data.json"),
    JSON.stringify({
      uuid: `00000000-0000-4000-8000-${mac.replaceAll(":", "")}`,
      name,
      hostname: name,
      meta,
    }),
  );
  writeFileSync(
    join(latest, "network_data.json"),
    JSON.stringify({
      links: [{ id: "port", type: "ovs", ethernet_mac_address: mac, mtu: 1500 }],
      networks: [
        { id: "mw", link: "port", type: "ipv4", ip_address: address, netmask: "255.255.255.0", routes: [] },
      ],
      services: [],
    }),
  );
  const image = join(folder, `${name}-drive.iso`);
  execFileSync("xorriso", ["-as", "mkisofs", "-quiet", "-V", "config-2", "-J", "-r", "-o", image, tree], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  return image;
}

function withLines(content: string, local: Readonly<Record<string, string>>): string {
  const kept = content
    .split("\n")
    .filter((line) => line !== "" && !Object.hasOwn(local, line.split("=", 1)[0] ?? ""));
  const added = Object.entries(local).map(([key, value]) => `${key}=${value}`);
  return `${[...kept, ...added].join("\n")}\n`;
}

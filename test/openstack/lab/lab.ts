import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeIdentities, makeResources } from "./bootstrap.ts";
import { makeDatabases, startMariadb } from "./databases.ts";
import { writeIniFiles } from "./ini-files.ts";
import { type Lab, labOf, openLab, PORTS } from "./lab-settings.ts";
import { OpenStack } from "./open-stack.ts";
import { listening, stopProcesses } from "./processes.ts";
import { STOP_WAVES, startBus, startIdentity, startServices } from "./services.ts";
import { startTacker } from "./tacker.ts";

/** Starts the lab of a folder, or what of it does not run; tells each phase with its time. */
export async function startLab(
  wanted: Pick<Lab, "folder" | "address" | "hosts"> & { readonly tacker?: boolean },
  tell: (line: string) => void,
): Promise<Lab> {
  const began = performance.now();
  const lap = (what: string): void =>
    tell(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
  const lab = openLab(wanted.folder, wanted);
  writeIniFiles(lab);
  startBus(lab);
  await startMariadb(lab);
  lap("MariaDB");
  await makeDatabases(lab);
  lap("databases");
  startIdentity(lab);
  await listening(lab.address, PORTS.keystone);
  const admin = new OpenStack(lab, "admin", "admin");
  await admin.ready(60);
  await makeIdentities(lab, admin);
  lap("Keystone, with its users");
  await listening(lab.address, PORTS.rabbitmq);
  lap("RabbitMQ");
  await startServices(lab);
  lap("all services listen");
  await makeResources(lab, admin);
  writeCredentials(lab);
  if (wanted.tacker === true) {
    await startTacker(lab, admin);
    lap("Tacker");
  }
  lap(`ready: ${lab.hosts.length} hosts`);
  return lab;
}

/** Ends every process of the lab and removes its folder. */
export async function stopLab(folder: string, keep = false): Promise<void> {
  if (!existsSync(join(folder, "lab.json"))) return;
  await stopProcesses(labOf(folder), STOP_WAVES);
  if (!keep) rmSync(folder, { recursive: true, force: true });
}

/** openrc (administrator), openrc-ims (the project of the VNF) and clouds.yaml with both. */
function writeCredentials({ folder, address, password }: Lab): void {
  const url = `http://${address}:${PORTS.keystone}/v3`;
  const openrc = (user: string, project: string): string =>
    Object.entries({
      OS_AUTH_URL: url,
      OS_USERNAME: user,
      OS_PASSWORD: password,
      OS_PROJECT_NAME: project,
      OS_USER_DOMAIN_NAME: "Default",
      OS_PROJECT_DOMAIN_NAME: "Default",
      OS_IDENTITY_API_VERSION: "3",
      OS_REGION_NAME: "RegionOne",
    })
      .map(([name, value]) => `export ${name}=${value}\n`)
      .join("");
  const cloud = (name: string, user: string, project: string): string =>
    [
      `  ${name}:`,
      "    auth:",
      `      auth_url: ${url}`,
      `      username: ${user}`,
      `      password: ${password}`,
      `      project_name: ${project}`,
      "      user_domain_name: Default",
      "      project_domain_name: Default",
      "    region_name: RegionOne",
      "    identity_api_version: 3",
      "",
    ].join("\n");
  const write = (file: string, text: string): void =>
    writeFileSync(join(folder, file), text, { mode: 0o600 });
  write("openrc", openrc("admin", "admin"));
  write("openrc-ims", openrc("operator", "ims"));
  write("clouds.yaml", `clouds:\n${cloud("admin", "admin", "admin")}${cloud("ims", "operator", "ims")}`);
}

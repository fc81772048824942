import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeService } from "./bootstrap.ts";
import { makeDatabase } from "./databases.ts";
import { textOf } from "./ini-files.ts";
import { type Lab, PORTS } from "./lab-settings.ts";
import type { OpenStack } from "./open-stack.ts";
import { listening, runToEnd, startProcess } from "./processes.ts";

const HOME = join(import.meta.dirname, "../../../.cache/tacker");
export const TACKER_PROCESSES = ["tacker-conductor", "tacker-server"] as const;

/** Tacker of PyPI (scripts/install-tacker), a VNF manager, as a service of the lab. */
export async function startTacker(lab: Lab, admin: OpenStack): Promise<void> {
  if (!existsSync(join(HOME, "version")))
    throw new Error("there is no Tacker: run 'sh scripts/install-tacker'");
  const { folder, address, password } = lab;
  const own = join(folder, "tacker");
  for (const name of ["csar", "packages", "groups", "tmp"])
    mkdirSync(join(own, name), { recursive: true, mode: 0o700 });
  const url = `http://${address}:${PORTS.tacker}`;
  const keystone = `http://${address}:${PORTS.keystone}/v3`;
  const paste = join(folder, "etc/tacker-api-paste.ini");
  writeFileSync(paste, readFileSync(join(HOME, "etc/tacker/api-paste.ini")));
  const conf = join(folder, "etc/tacker.conf");
  writeFileSync(
    conf,
    textOf({
      DEFAULT: {
        transport_url: `rabbit://guest:guest@${address}:${PORTS.rabbitmq}/`,
        bind_host: address,
        bind_port: PORTS.tacker,
        api_workers: 1,
        api_paste_config: paste,
        auth_strategy: "keystone",
        state_path: own,
        use_journal: false,
      },
      database: { connection: `mysql+pymysql://root@${address}:${PORTS.mariadb}/tacker?charset=utf8` },
      keystone_authtoken: {
        auth_type: "password",
        auth_url: keystone,
        www_authenticate_uri: keystone,
        username: "admin",
        password,
        project_name: "admin",
        user_domain_name: "Default",
        project_domain_name: "Default",
        interface: "public",
      },
      coordination: { backend_url: `file://${own}/groups` },
      glance_store: {
        stores: "file",
        default_store: "file",
        filesystem_store_datadir: join(own, "packages"),
      },
      vnf_package: { vnf_package_csar_path: join(own, "csar") },
      // Min; a stack of 24 servers takes its time on a small machine.
      v2_vnfm: { endpoint: url, openstack_vim_stack_create_timeout: 60 },
      oslo_concurrency: { lock_path: join(own, "tmp") },
    }),
    { mode: 0o600 },
  );
  if (await makeDatabase(lab, "tacker"))
    await runToEnd(lab, "tacker-db-manage", [
      join(HOME, "bin/tacker-db-manage"),
      "--config-file",
      conf,
      "upgrade",
      "head",
    ]);
  await makeService(admin, "nfv-orchestration", "tacker", url);
  for (const name of TACKER_PROCESSES)
    startProcess(
      lab,
      name,
      [join(HOME, "bin", name), "--config-file", conf, "--log-file", join(folder, "log", `${name}.log`)],
      { TMPDIR: join(own, "tmp"), PYTHONWARNINGS: "ignore" },
    );
  await listening(address, PORTS.tacker);
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Lab, PORTS, PYTHON } from "./lab-settings.ts";
import { listening, runToEnd, startProcess } from "./processes.ts";

const NAMES = ["keystone", "glance", "placement", "nova_api", "nova_cell0", "nova", "neutron", "heat"];

/** MariaDB without durability: the lab is thrown away. */
export async function startMariadb(lab: Lab): Promise<void> {
  const data = join(lab.folder, "mysql");
  if (!existsSync(join(data, "mysql")))
    await runToEnd(lab, "mariadb-install", [
      "mariadb-install-db",
      "--no-defaults",
      "--user=root",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ]);
  startProcess(lab, "mariadb", [
    "mariadbd",
    "--no-defaults",
    "--user=root",
    `--datadir=${data}`,
    `--socket=${join(data, "socket")}`,
    `--bind-address=${lab.address}`,
    `--port=${PORTS.mariadb}`,
    "--max-connections=600",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--character-set-server=utf8mb3",
    "--innodb-buffer-pool-size=192M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
  ]);
  await listening(lab.address, PORTS.mariadb);
}

async function sql(lab: Lab, statements: string): Promise<string> {
  const command = ["mariadb", "--no-defaults", "-u", "root", "-N", `--socket=${lab.folder}/mysql/socket`];
  return await runToEnd(lab, "sql", command, { input: statements });
}

/** Makes the databases and their tables with each service's own tool, side by side where they allow it. */
export async function makeDatabases(lab: Lab): Promise<void> {
  if ((await sql(lab, "show databases like 'keystone'")).trim() !== "") return;
  // root of the loopback address has no password: what listens there is reached from this machine only.
  const grants = `create user if not exists root@'127.%'; grant all on *.* to root@'127.%' with grant option;`;
  await sql(lab, NAMES.map((name) => `create database ${name} character set utf8mb3;`).join(" ") + grants);
  await Promise.all([
    keystoneTables(lab),
    novaTables(lab),
    (async () => {
      await manage(lab, "neutron-db-manage", "neutron", ["upgrade", "head"]);
      await manage(lab, "placement-manage", "placement", ["db", "sync"]);
      await manage(lab, "glance-manage", "glance", ["db_sync"]);
      await manage(lab, "heat-manage", "heat", ["db_sync"]);
    })(),
  ]);
}

/** A database of its own; false: it is there. */
export async function makeDatabase(lab: Lab, name: string): Promise<boolean> {
  if ((await sql(lab, `show databases like '${name}'`)).trim() !== "") return false;
  await sql(lab, `create database ${name} character set utf8mb3;`);
  return true;
}

async function manage(lab: Lab, tool: string, service: string, args: readonly string[]): Promise<void> {
  await runToEnd(lab, tool, [tool, "--config-file", join(lab.folder, `etc/${service}.conf`), ...args]);
}

async function keystoneTables(lab: Lab): Promise<void> {
  // Debian has keystone-manage in a package that would start a service; this is what it calls.
  const start = "import sys; sys.argv[0] = 'keystone-manage'; from keystone.cmd.manage import main; main()";
  const run = async (...args: readonly string[]): Promise<void> => {
    const command = [PYTHON, "-c", start, "--config-file", join(lab.folder, "etc/keystone.conf"), ...args];
    await runToEnd(lab, "keystone-manage", command);
  };
  const root = ["--keystone-user", "root", "--keystone-group", "root"];
  const url = `http://${lab.address}:${PORTS.keystone}`;
  await run("db_sync");
  await run("fernet_setup", ...root);
  await run("credential_setup", ...root);
  const urls = ["public", "internal", "admin"].flatMap((kind) => [`--bootstrap-${kind}-url`, url]);
  await run("bootstrap", "--bootstrap-password", lab.password, "--bootstrap-region-id", "RegionOne", ...urls);
}

async function novaTables(lab: Lab): Promise<void> {
  const cell0 = `mysql+pymysql://root@${lab.address}:${PORTS.mariadb}/nova_cell0?charset=utf8`;
  await manage(lab, "nova-manage", "nova", ["api_db", "sync"]);
  await manage(lab, "nova-manage", "nova", ["cell_v2", "map_cell0", "--database_connection", cell0]);
  await manage(lab, "nova-manage", "nova", ["db", "sync"]);
  await manage(lab, "nova-manage", "nova", ["cell_v2", "create_cell", "--name", "cell1"]);
}

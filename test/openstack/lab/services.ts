import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, PORTS, PYTHON, PYTHON_FOLDER } from "./lab-settings.ts";
import { listening, startProcess } from "./processes.ts";
import { TACKER_PROCESSES } from "./tacker.ts";

/** Processes of the lab as they are stopped: what others need goes last. */
export const STOP_WAVES = [
  TACKER_PROCESSES,
  ["network-agents", "hypervisors", "heat-api-cfn", "heat-api", "heat-engine"],
  ["nova-scheduler", "nova-api", "nova-conductor", "glance", "neutron", "placement", "keystone"],
  ["rabbitmq", "memcached", "mariadb"],
  ["epmd"],
] as const;

/** Message bus and cache. */
export function startBus(lab: Lab): void {
  const { folder, address } = lab;
  const etc = join(folder, "etc");
  startProcess(lab, "memcached", [
    "memcached",
    "-u",
    "root",
    "-l",
    address,
    "-p",
    String(PORTS.memcached),
    "-m",
    "64",
  ]);
  writeFileSync(
    join(etc, "rabbitmq.conf"),
    [
      `listeners.tcp.default = ${address}:${PORTS.rabbitmq}`,
      "loopback_users.guest = true",
      "vm_memory_high_watermark.absolute = 1GB",
      "disk_free_limit.absolute = 50MB",
      "",
    ].join("\n"),
  );
  // Its own epmd, in the foreground: one that the broker starts makes itself a daemon.
  const epmd = { ERL_EPMD_ADDRESS: "127.0.0.1", ERL_EPMD_PORT: String(PORTS.epmd) };
  startProcess(lab, "epmd", ["epmd"], epmd);
  const [broker = "rabbitmq-server"] = globSync(
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
  );
  startProcess(lab, "rabbitmq", [broker], {
    ...epmd,
    HOME: join(folder, "rabbitmq"),
    RABBITMQ_NODENAME: "tidewater-lab@localhost",
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: join(etc, "rabbitmq"),
    RABBITMQ_MNESIA_BASE: join(folder, "rabbitmq/mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "rabbitmq/enabled_plugins"),
    RABBITMQ_PID_FILE: join(folder, "rabbitmq/pid"),
    RABBITMQ_DIST_PORT: String(PORTS.rabbitmqCluster),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
  });
}

/** Keystone and Placement under uWSGI. */
export function startIdentity(lab: Lab): void {
  const etc = join(lab.folder, "etc");
  const uwsgi = (name: "keystone" | "placement", processes: number, env: Record<string, string>): void =>
    startProcess(
      lab,
      name,
      [
        "uwsgi",
        "--plugin",
        "python3",
        "--http-socket",
        `${lab.address}:${PORTS[name]}`,
        "--wsgi-file",
        join(PYTHON_FOLDER, `${name}_wsgi.py`),
        "--master",
        "--die-on-term",
        "--need-app",
        "--enable-threads",
        "--processes",
        String(processes),
        "--threads",
        "6",
        "--buffer-size",
        "65535",
        "--add-header",
        "Connection: close",
      ],
      env,
    );
  uwsgi("keystone", 2, { OS_KEYSTONE_CONFIG_FILES: join(etc, "keystone.conf"), OS_KEYSTONE_CONFIG_DIR: etc });
  // Placement reads placement.conf of that folder.
  uwsgi("placement", 1, { OS_PLACEMENT_CONFIG_DIR: etc });
}

/** All others; nova-conductor logs in when it starts, so its user must be there. */
export async function startServices(lab: Lab): Promise<void> {
  const { folder } = lab;
  const conf = (service: string): string => join(folder, "etc", `${service}.conf`);
  const log = (name: string): string[] => ["--log-file", join(folder, "log", `${name}.log`)];
  const module = (name: string, entry: string, service: string): void => {
    const start = `import sys; sys.argv[0] = '${name}'; from ${entry} import main; sys.exit(main())`;
    startProcess(lab, name, [PYTHON, "-c", start, "--config-file", conf(service), ...log(name)]);
  };
  const script = (name: string, ...args: readonly string[]): void =>
    startProcess(lab, name, [PYTHON, join(PYTHON_FOLDER, `${name.replaceAll("-", "_")}.py`), ...args]);
  module("neutron", "neutron.cmd.eventlet.server", "neutron");
  module("nova-conductor", "nova.cmd.conductor", "nova");
  module("nova-api", "nova.cmd.api_os_compute", "nova");
  module("nova-scheduler", "nova.cmd.scheduler", "nova");
  script("hypervisors", folder, conf("nova"));
  module("glance", "glance.cmd.api", "glance");
  script("heat-engine", "--config-file", conf("heat"), ...log("heat-engine"));
  module("heat-api", "heat.cmd.api", "heat");
  script("heat-api-cfn", "--config-file", conf("heat"), ...log("heat-api-cfn"));
  await listening(lab.address, PORTS.neutron);
  script("network-agents", folder, "--config-file", conf("neutron"), ...log("network-agents"));
  for (const port of [PORTS.nova, PORTS.glance, PORTS.heat, PORTS.heatCfn, PORTS.placement])
    await listening(lab.address, port);
}

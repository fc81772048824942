import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { admitToken, EtcdClient, edgeTokenOf, newJoinToken, parseEndpoints } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { SipUe } from "../support/sip-ue.ts";
import { configDrive, type MachineOptions } from "./config-drive.ts";
import { etcdEntries, HostSide, until } from "./host-side.ts";
import { Machine } from "./machine.ts";
import { reconfigure } from "./reconfigure.ts";
import { sipOptions } from "./sip-options.ts";
import { turnRelays } from "./turn.ts";
import { bootVellum } from "./vellum.ts";

const USAGE = `Boots the image as homestead with ralf, sprout and bono in turn, with a seed on this side of a bridge, registers a user through
them, applies a configuration that restarts them; then as vellum with a data volume and etcd over TLS, and as two members that cannot be.
  npm run test:images -- [--image FILE] [--deadline SECONDS] [--only LIST] [--keep] [--uefi]

  --image FILE   default: the .qcow2 in dist/image (npm run image:build)
  --deadline S   longest boot, default 600 (no KVM is used)
  --uefi         boot the first machine by UEFI (Debian: ovmf) instead of BIOS
  --only LIST    core, vellum, refused: parts of it, separated by commas
  --keep         leave consoles and logs
Needs root, or user namespaces and /dev/net/tun; 'sh scripts/install-test-tools --images' for the programs.
`;
const BRIDGE = "tidewater0";
const NET = "10.90.0";
const [SEED, OTHER, UE] = [`${NET}.11`, `${NET}.12`, `${NET}.1`];
const OVMF = "/usr/share/ovmf/OVMF.fd";

const { values } = parseArgs({
  options: {
    image: { type: "string" },
    deadline: { type: "string", default: "600" },
    only: { type: "string", default: "core,vellum,refused" },
    keep: { type: "boolean", default: false },
    uefi: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (process.env["TIDEWATER_TEST_NAMESPACE"] === undefined) process.exit(inOwnNamespace());

const built = globSync("dist/image/*.qcow2", { cwd: join(import.meta.dirname, "../..") })[0];
const image = values.image ?? (built === undefined ? undefined : join(import.meta.dirname, "../..", built));
if (image === undefined) {
  console.error("there is no image in dist/image: run 'npm run image:build' first, or give --image");
  process.exit(2);
}
const deadline = Number(values.deadline);
const parts = new Set(values.only.split(","));
for (const part of parts)
  if (!["core", "vellum", "refused"].includes(part)) {
    console.error(`--only: '${part}' is not core, vellum or refused`);
    process.exit(2);
  }
const folder = mkdtempSync(join(tmpdir(), "tidewater-images-"));
const host = new HostSide(folder);
const machines: Machine[] = [];
const closing: (() => void)[] = [];
const results: (readonly [what: string, value: string])[] = [];
const note = (what: string, value: string): void => {
  results.push([what, value]);
  console.log(`${what}: ${value}`);
};
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void Promise.all([...machines.map((machine) => machine.stop()), host.stop()]).then(() => process.exit(1));
  });

try {
  host.network(BRIDGE, [UE, SEED, OTHER]);
  await host.start(SEED, [SEED, OTHER]);
  await until("both memcacheds are in force", 60, async () =>
    JSON.stringify([...(await etcdEntries(SEED, "/tidewater/clusters/memcached/"))]).includes(`${OTHER}`),
  );
  note("seed", "etcd and two memcacheds on this side of the bridge");
  if (parts.has("core")) await bootCore();
  if (parts.has("vellum"))
    await bootVellum({ folder, image: resolve(image), bridge: BRIDGE, net: NET, deadline, machines, note });
  if (parts.has("refused")) {
    await refused(
      "a role that there is not",
      { role: "sprut", pool: "sprut", name: "sprut-0" },
      "role: must be one of",
    );
    await refused(
      "a seed that does not answer",
      { seeds: [`${NET}.99`], waitSeconds: 20 },
      "no seed answers",
    );
  }
  console.log(`\n${cpus().length} processors, load now ${loadNow()}\n`);
  for (const [what, value] of results) console.log(`| ${what} | ${value} |`);
  console.log("\nall well");
} catch (error) {
  console.error(`\nFAILED: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  for (const close of closing) close();
  for (const machine of machines) await machine.stop();
  await host.stop();
  if (values.keep || process.exitCode === 1) console.log(`consoles and logs: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

/** homestead, sprout and bono, which form a core. */
async function bootCore(): Promise<void> {
  const token = newJoinToken();
  await admitEdges(token);

  const common = {
    home_domain: "example.com",
    cell: "0",
    index: "0",
    seeds: JSON.stringify([SEED]),
    cassandra: "",
    durable_writes: "preferred",
    charging: "on",
    cdf: "",
    ralf: `http://${NET}.20:10888`,
    telephony: "on",
    ut_proxies: "[]",
    homer: `http://${NET}.20:7888`,
    edges: JSON.stringify([`${NET}.22`]),
    etcd_tls: "off",
    ready_signal: "",
    join_token: token,
    core_peers: `${NET}.22,${UE}`,
    sprout_addresses: `${NET}.21`,
    core_cidr: `${NET}.0/24`,
    dns_servers: "",
    core_name: "",
    bgcf_file: "",
    bgcf_json: "{}",
    emergency_file: "/etc/tidewater/emergency.json",
    emergency_json: JSON.stringify({ default: [`sip:psap@${UE}`] }),
    ecscf_uri: "sip:ecscf.sprout.example.com;transport=tcp",
    ibcf_peers_file: "/etc/tidewater/ibcf-peers.json",
    ibcf_peers_json: JSON.stringify({ peers: [{ name: "carrier-a", addresses: [UE] }] }),
    pools_file: "/etc/tidewater/pools.json",
    turn: "on",
    denied_peers: JSON.stringify(["10.91.0.0/24"]),
  };
  const homestead = `${NET}.20`;
  await boot({
    role: "homestead",
    name: "homestead-0",
    index: 0,
    address: homestead,
    mac: "52:54:00:90:00:20",
    values: { ...common, address: homestead, management_address: homestead },
  });
  await ready(homestead, 9103, "homestead-0");
  await ready(homestead, 9106, undefined);
  await ready(homestead, 9104, undefined);
  const document = "simservs.ngn.etsi.org/users/sip:alice@example.com/simservs.xml";
  const asked = await fetch(`http://${homestead}:7887/${document}`);
  const challenge = asked.headers.get("www-authenticate") ?? "";
  if (asked.status !== 401 || !challenge.startsWith("Digest"))
    throw new Error(`homer asks nobody who he is: ${asked.status} ${challenge}`);
  note("homer asks who comes from UEs (Ut)", `${asked.status} Digest`);
  await provision(homestead);

  const sprout = `${NET}.21`;
  await boot({
    role: "sprout",
    name: "sprout-0",
    index: 0,
    address: sprout,
    mac: "52:54:00:90:00:21",
    values: { ...common, address: sprout, management_address: sprout },
  });
  await ready(sprout, 9102, "sprout-0");
  for (const [name, port] of [
    ["icscf", 5052],
    ["scscf", 5054],
    ["ecscf", 5057],
  ] as const)
    note(
      `OPTIONS to sprout ${port}`,
      await sipOptions("tcp", sprout, port, UE, `sip:${name}.sprout.example.com`),
    );

  const bono = `${NET}.22`;
  const pools = {
    version: 1,
    domain: "example.com",
    pools: [
      {
        name: "sprout",
        services: [
          { name: "icscf", protocol: "sip", transport: "tcp", port: 5052 },
          { name: "scscf", protocol: "sip", transport: "tcp", port: 5054 },
          { name: "ecscf", protocol: "sip", transport: "tcp", port: 5057 },
        ],
        members: [{ name: "sprout-0", addresses: [sprout] }],
      },
    ],
  };
  await boot({
    role: "bono",
    name: "bono-0",
    index: 0,
    address: bono,
    mac: "52:54:00:90:00:22",
    values: {
      ...{ ...common, address: bono, access_address: bono, pools_json: JSON.stringify(pools) },
      ...{ join_token: edgeTokenOf(token), pools_file: "/var/lib/tidewater/edge/pools.json" },
    },
  });
  await ready(bono, 9101, undefined);
  for (const transport of ["udp", "tcp"] as const)
    for (const [side, port] of [
      ["bono", 5060],
      ["its IBCF", 5070],
    ] as const)
      note(`OPTIONS to ${side} by ${transport}`, await sipOptions(transport, bono, port, UE));
  note("TURN beside bono", await turnRelays(SEED, bono));

  const ue = await SipUe.open(
    { after: (action: () => void) => void closing.push(action) } as never,
    { domain: "example.com", sip: { host: bono, udpPort: 5060, tcpPort: 5060 } } as never,
    { user: "alice", password: "secret", address: UE },
  );
  await registers("through bono, sprout, homestead", ue);
  await reconfigure({ folder, seed: SEED, bono, note });
  await registers("after the restarts", ue);
  for (const machine of machines.splice(0)) await machine.stop();
}

async function boot(options: MachineOptions): Promise<Machine> {
  const { name, mac } = options;
  const drive = configDrive(folder, options);
  const first = machines.length === 0 && values.uefi;
  const machine = new Machine({
    ...{ folder, name, drive, mac, bridge: BRIDGE, image: resolve(image ?? "") },
    ...(first ? { firmware: OVMF } : {}),
  });
  machines.push(machine);
  const seconds = await machine.says("node ready", deadline);
  note(`${name}: ${first ? "UEFI" : "BIOS"} to node ready`, `${seconds.toFixed(0)} s`);
  return machine;
}

/** Machines without KVM may take longer for their first request than a UE waits. */
async function registers(what: string, ue: SipUe): Promise<void> {
  let from = performance.now();
  let tries = 0;
  await until(`REGISTER ${what}`, 120, async () => {
    from = performance.now();
    tries++;
    const { status } = await ue.register();
    if (status !== 200) throw new Error(`REGISTER: ${status}`);
    return true;
  });
  note(`REGISTER ${what}`, `200 in ${Math.round(performance.now() - from)} ms, at try ${tries}`);
}

/** Health, and for pools that etcd knows the entry in the registry. */
async function ready(address: string, port: number, member: string | undefined): Promise<void> {
  const response = await fetch(`http://${address}:${port}/health/ready`);
  const text = (await response.text()).trim().replaceAll("\n", "; ");
  if (!response.ok) throw new Error(`${address}:${port}/health/ready: ${response.status} ${text}`);
  note(`/health/ready of ${address}`, `${response.status} ${text}`);
  if (member === undefined) return;
  const key = `/tidewater/members/${member.split("-")[0]}/${member}`;
  const entry = (await etcdEntries(SEED, "/tidewater/members/")).get(key);
  if (!entry?.includes(address)) throw new Error(`${key} in etcd: ${entry ?? "nothing"}`);
  note(`${member} in the registry`, "yes");
}

/** What a vellum would do: the token of the DMZ is good from now on. */
async function admitEdges(token: string): Promise<void> {
  const clock = systemClock();
  const client = new EtcdClient({ endpoints: parseEndpoints(`http://${SEED}:2379`), clock });
  const uses = { uses: 1, expires: clock.now() + 3 * 3_600_000, purpose: "edge" } as const;
  const result = await admitToken(client, "/tidewater", edgeTokenOf(token), uses);
  client.close();
  if (result.kind === "unavailable") throw result.cause;
}

async function provision(address: string): Promise<void> {
  // On the machine it is in provisioning.token of its state directory.
  const key = (await etcdEntries(SEED, "/tidewater/keys/")).get("/tidewater/keys/provisioning") ?? "";
  const token = Buffer.from(key, "base64").toString("base64url");
  const response = await fetch(`http://${address}:8889/subscribers`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({
      impi: "alice@example.com",
      publicIdentities: [{ impu: "sip:alice@example.com" }],
      credentials: { password: "secret" },
    }),
  });
  if (!response.ok) throw new Error(`provisioning: ${response.status} ${await response.text()}`);
}

/** A config drive that is wrong: said on the console, and no process of ours runs. */
async function refused(what: string, member: Readonly<Record<string, unknown>>, text: string): Promise<void> {
  const address = `${NET}.30`;
  const name = `wrong-${results.length}`;
  const drive = configDrive(folder, {
    ...{ role: "homestead", name, index: 0, address, mac: "52:54:00:90:00:30", member },
    values: {
      ...{ home_domain: "example.com", cell: "0", index: "0", seeds: JSON.stringify([SEED]), cassandra: "" },
      ...{ ready_signal: "", join_token: "", core_cidr: "10.0.0.0/8", address, management_address: address },
      ...{ charging: "off", cdf: "", telephony: "off", ut_proxies: "[]", etcd_tls: "off" },
    },
  });
  const machine = new Machine({
    folder,
    name,
    drive,
    mac: "52:54:00:90:00:30",
    bridge: BRIDGE,
    image: resolve(image ?? ""),
  });
  machines.push(machine);
  const seconds = await machine.says("NOT ready", deadline);
  const line = machine.lines().find((one) => one.includes("NOT ready")) ?? "";
  if (!line.includes(text)) throw new Error(`${what}: the console says '${line}', not '${text}'`);
  await until("the remedy is on the console", 10, async () =>
    machine.lines().some((one) => one.includes("remedy:")),
  );
  const reached = await fetch(`http://${address}:9103/health/live`, {
    signal: AbortSignal.timeout(5000),
  }).catch(() => undefined);
  if (reached !== undefined) throw new Error(`${what}: homestead runs all the same`);
  note(what, `${seconds.toFixed(0)} s: ${line}`);
  await machine.stop();
  machines.splice(machines.indexOf(machine), 1);
}

function loadNow(): string {
  return spawnSync("cut", ["-d ", "-f1-3", "/proc/loadavg"], { encoding: "utf8" }).stdout.trim();
}

/** The whole test runs in a network namespace of its own: nothing of it is on the machine's network, all of it goes when we end. */
function inOwnNamespace(): number {
  const root = process.getuid?.() === 0;
  const args = [
    ...(root ? [] : ["--user", "--map-root-user"]),
    "--net",
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ];
  // Who ends this process ends the machines too.
  const ended = spawnSync("setpriv", ["--pdeathsig", "TERM", "unshare", ...args], {
    stdio: "inherit",
    env: { ...process.env, TIDEWATER_TEST_NAMESPACE: "own", PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  return ended.status ?? 1;
}

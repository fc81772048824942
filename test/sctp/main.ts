import { execFileSync, spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { selfSigned } from "@ims/diameter/testing";
import { build } from "esbuild";
import { type InitEntry, writeInitramfs } from "./initramfs.ts";

/**
 * A machine whose kernel has SCTP (Debian's, under QEMU without KVM): Cx requests of a node of ours go over TCP to a relay with the shipped configuration,
 * from there over SCTP to another relay, and over TCP to an HSS. npm run test:sctp; takes freediameterd, qemu-system-x86, apt.
 */
const ROOT = join(import.meta.dirname, "../..");
const DOCUMENTS = join(ROOT, "docs/operations");
const DEADLINE_MS = 900_000;
/** Modules in the order in which they are loaded; those that the kernel has built in are not there. */
const MODULES = ["crc32c_generic", "libcrc32c", "udp_tunnel", "ip6_udp_tunnel", "sctp"];

const FAR = `Identity = "relay.other.example";
Realm = "other.example";
Port = 3868;
SecPort = 0;
No_IPv6;
ListenOn = "10.99.0.2";
ListenOn = "10.99.1.2";
TcTimer = 2;
TLS_Cred = "/etc/freeDiameter/far.cert.pem", "/etc/freeDiameter/far.key.pem";
TLS_CA = "/etc/freeDiameter/far.cert.pem";
ConnectPeer = "relay-1.example.com" { ConnectTo = "10.99.0.1"; Port = 3868; No_TCP; No_TLS; };
ConnectPeer = "hss.other.example" { ConnectTo = "127.0.0.1"; Port = 3900; No_SCTP; No_TLS; };
`;

const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
${MODULES.map((name) => `[ ! -e /modules/${name}.ko ] || $b insmod /modules/${name}.ko`).join("\n")}
$b ip link set lo up
for a in 10.99.0.1 10.99.1.1 10.99.0.2 10.99.1.2; do $b ip addr add $a/24 dev lo; done
$b hostname machine
for c in far near; do /usr/bin/freeDiameterd -c /etc/freeDiameter/$c.conf >/tmp/$c.log 2>&1 & done
/bin/node /proof.mjs || { $b tail -n 20 /tmp/near.log; $b tail -n 20 /tmp/far.log; }
$b poweroff -f
`;

const folder = mkdtempSync(join(tmpdir(), "sctp-"));
process.exitCode = 1;
try {
  const kernel = fetchKernel();
  const entries = await contents(kernel);
  writeInitramfs(join(folder, "initramfs"), entries);
  console.log(`kernel ${basename(kernel.image)}, ${entries.length} files`);
  const said = await boot(kernel.image, join(folder, "initramfs"));
  const [, json] = /^OUTCOME (\{.*\})/m.exec(said) ?? [];
  if (json === undefined) throw new Error(`the machine did not say how it went:\n${said.slice(-6_000)}`);
  const outcome = JSON.parse(json) as { answered: number; of: number; associations: string[] };
  console.log(`answered ${outcome.answered} of ${outcome.of} requests`);
  for (const line of outcome.associations) console.log(`association: ${line}`);
  if (outcome.answered === outcome.of && outcome.associations.length > 0) process.exitCode = 0;
  console.log(process.exitCode === 0 ? "all well" : `FAILED\n${said.slice(-8_000)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Kernel {
  readonly image: string;
  readonly modules: string;
  readonly busybox: string;
}

/** Debian's kernel for clouds and busybox, unpacked, not installed. */
function fetchKernel(): Kernel {
  const at = join(folder, "packages");
  mkdirSync(at);
  const { stdout: depends } = spawnSync("apt-cache", ["depends", "linux-image-cloud-amd64"], {
    encoding: "utf8",
  });
  const [, name] = /Depends: (linux-image-\S+-cloud-amd64)/.exec(depends) ?? [];
  if (name === undefined)
    throw new Error("apt does not know linux-image-cloud-amd64: run 'apt-get update' first");
  execFileSync("apt-get", ["-q", "download", name, "busybox-static"], {
    cwd: at,
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const deb of globSync("*.deb", { cwd: at })) execFileSync("dpkg-deb", ["-x", deb, "."], { cwd: at });
  const one = (pattern: string): string => {
    const [found] = globSync(pattern, { cwd: at });
    if (found === undefined) throw new Error(`${name} has no ${pattern}`);
    return join(at, found);
  };
  return {
    image: one("boot/vmlinuz-*"),
    modules: one("{usr/,}lib/modules/*"),
    busybox: one("{usr/,}bin/busybox"),
  };
}

async function contents({ modules, busybox }: Kernel): Promise<InitEntry[]> {
  const loaded = MODULES.flatMap((name) =>
    globSync(`**/${name}.ko`, { cwd: modules }).map((at) => join(modules, at)),
  );
  if (!loaded.some((path) => path.endsWith("/sctp.ko"))) throw new Error("this kernel has no SCTP either");
  // freeDiameter wants its own name in its certificate.
  const near = selfSigned("relay-1.example.com");
  const far = selfSigned("relay.other.example");
  const program = await build({
    entryPoints: [join(import.meta.dirname, "proof.ts")],
    ...{ bundle: true, platform: "node", format: "esm", write: false, target: "node24" },
    banner: { js: 'import { createRequire as r } from "node:module";const require = r(import.meta.url);' },
  });
  const programs = [
    "/usr/bin/freeDiameterd",
    process.execPath,
    ...globSync("/usr/lib/freeDiameter/acl_wl.fdx"),
  ];
  const libraries = new Set(programs.flatMap(librariesOf));
  const etc = "etc/freeDiameter";
  return [
    { path: "init", text: INIT, mode: 0o755 },
    { path: "dev/console", device: [5, 1] },
    ...["proc", "sys", "tmp", "run", "var"].map((path) => ({ path, folder: true }) as const),
    { path: "bin/busybox", file: busybox, mode: 0o755 },
    { path: "bin/sh", link: "busybox" },
    { path: "bin/node", file: process.execPath, mode: 0o755 },
    { path: "usr/bin/freeDiameterd", file: "/usr/bin/freeDiameterd", mode: 0o755 },
    ...globSync("/usr/lib/freeDiameter/acl_wl.fdx").map((file) => ({ path: file.slice(1), file })),
    ...[...libraries].map((file) => ({ path: file.slice(1), file, mode: 0o755 })),
    ...loaded.map((file) => ({ path: `modules/${basename(file)}`, file })),
    { path: "proof.mjs", text: program.outputFiles[0]?.text ?? "" },
    { path: `${etc}/relay.key.pem`, text: near.key },
    { path: `${etc}/relay.cert.pem`, text: near.cert },
    { path: `${etc}/far.key.pem`, text: far.key },
    { path: `${etc}/far.cert.pem`, text: far.cert },
    { path: `${etc}/relay-clients.conf`, file: join(DOCUMENTS, "freediameter-clients.conf") },
    { path: `${etc}/near.conf`, text: nearRelay() },
    { path: `${etc}/far.conf`, text: FAR },
    { path: "etc/hosts", text: "127.0.0.1 localhost\n" },
    { path: "etc/passwd", text: "root:x:0:0::/:/bin/sh\n" },
  ];
}

function librariesOf(program: string): string[] {
  const told = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...told.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

/** The shipped configuration; the HSS behind another relay. Both relays have two addresses, for the two paths of SCTP. */
function nearRelay(): string {
  const text = readFileSync(join(DOCUMENTS, "freediameter-sctp.conf"), "utf8");
  return text
    .replaceAll("192.0.2.40", "10.99.0.1")
    .replaceAll("198.51.100.40", "10.99.1.1")
    .replaceAll("hss.other.example", "relay.other.example")
    .replaceAll("203.0.113.10", "10.99.0.2")
    .replaceAll("203.0.113.138", "10.99.1.2");
}

/** What the machine says on its console until it ends. */
function boot(kernel: string, initramfs: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...[
          "-m",
          "1536",
          "-display",
          "none",
          "-serial",
          "stdio",
          "-monitor",
          "none",
          "-no-reboot",
          "-nic",
          "none",
        ],
        ...["-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS0 panic=-1 quiet"],
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    child.stdout.setEncoding("latin1").on("data", (text: string) => (said += text));
    const late = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
    child.once("error", reject);
    child.once("exit", () => {
      clearTimeout(late);
      resolve(said.replaceAll("\r", ""));
    });
  });
}

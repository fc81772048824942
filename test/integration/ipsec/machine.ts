import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCertificate } from "@ims/runtime/testing";

const CHARON = "/usr/sbin/charon-systemd";
const CONFIGURATION = join(import.meta.dirname, "../../../docs/operations/ipsec-swanctl.conf");
const LINK = "region0";

/** Why this cannot run here; undefined: it can. */
export function whyNoIpsec(): string | undefined {
  const missing = [CHARON, "/usr/sbin/swanctl", "/usr/bin/dumpcap"].find((program) => !existsSync(program));
  if (missing !== undefined) return `${missing} is not installed: sh scripts/install-test-tools`;
  if (process.getuid?.() !== 0) return "needs root for namespaces of its own";
  if (!existsSync("/dev/net/tun")) return "this kernel has no TUN devices";
  return undefined;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what: string, holds: () => boolean, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(50);
  }
}

/** Two machines, each in a network namespace, on one link: a region each. */
export function linkMachines(one: Machine, other: Machine): void {
  for (const { namespace } of [one, other]) execFileSync("ip", ["netns", "add", namespace]);
  const ends = [LINK, "netns", one.namespace, "type", "veth", "peer", "name", LINK, "netns", other.namespace];
  execFileSync("ip", ["link", "add", ...ends]);
  for (const { namespace, address } of [one, other])
    for (const args of [
      ["addr", "add", `${address}/8`, "dev", LINK],
      ["link", "set", LINK, "up"],
      ["link", "set", "lo", "up"],
    ])
      execFileSync("ip", ["-n", namespace, ...args]);
  // What comes from the other machine outside of the tunnel, IKE and ESP in UDP, has no route back that is not in it.
  for (const { namespace } of [one, other])
    for (const where of ["all", LINK]) {
      const setting = `/proc/sys/net/ipv4/conf/${where}/rp_filter`;
      execFileSync("ip", ["netns", "exec", namespace, "sh", "-c", `echo 0 >${setting}`]);
    }
}

/** A machine of a region with strongSwan on the shipped configuration. ESP is strongSwan's own: this kernel may have none. */
export class Machine {
  readonly address: string;
  readonly namespace: string;
  readonly #folder: string;
  #charon: ChildProcess | undefined;
  #loaded = "";

  constructor(address: string, folder: string) {
    this.address = address;
    this.namespace = `tidewater-${process.pid}-${address.replaceAll(".", "-")}`;
    this.#folder = folder;
  }

  get #socket(): string {
    return `unix://${join(this.#folder, "vici")}`;
  }

  /** Its own address and that of the other one take the places of those of the shipped file. */
  async start({ cert, key, ca }: TestCertificate, other: string): Promise<void> {
    const folder = this.#folder;
    for (const [path, text] of [
      ["x509/own.pem", cert],
      ["private/own.key", key],
      ["x509ca/ca.pem", ca],
    ] as const) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), text, { mode: 0o600 });
    }
    const places: Readonly<Record<string, string>> = { "10.1.0.1": this.address, "10.2.0.1": other };
    const shipped = readFileSync(CONFIGURATION, "utf8");
    writeFileSync(
      join(folder, "swanctl.conf"),
      shipped.replaceAll(/10\.[12]\.0\.1/g, (address) => places[address] ?? address),
    );
    const strongswan = join(folder, "strongswan.conf");
    writeFileSync(strongswan, daemonSettings(folder, this.#socket));
    rmSync(join(folder, "vici"), { force: true });
    const environment = { PATH: process.env["PATH"], STRONGSWAN_CONF: strongswan, SWANCTL_DIR: folder };
    const charon = spawn("ip", ["netns", "exec", this.namespace, CHARON], {
      stdio: "ignore",
      env: environment,
    });
    this.#charon = charon;
    await until(`${this.address}: charon answers`, () => existsSync(join(folder, "vici")));
    this.#loaded = this.#swanctl("--load-all", "--noprompt", "--file", join(folder, "swanctl.conf"));
  }

  /** What it said of its configuration, and of its connections. */
  get log(): string {
    return this.#loaded + readFileSync(join(this.#folder, "charon.log"), "utf8");
  }

  isProtected(): boolean {
    const said = this.#swanctl("--list-sas");
    return said.includes("ESTABLISHED") && said.includes("INSTALLED, TUNNEL");
  }

  /** Runs a program there. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn("ip", ["netns", "exec", this.namespace, program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** What passes on the link from now on, into a file. */
  async capture(file: string): Promise<ChildProcess> {
    const running = this.spawn("dumpcap", ["-q", "-i", LINK, "-w", file]);
    let said = "";
    running.stderr?.on("data", (data: Buffer) => (said += data.toString()));
    await until("capturing", () => said.includes("File:"));
    return running;
  }

  async stop(): Promise<void> {
    const charon = this.#charon;
    if (charon === undefined || charon.exitCode !== null) return;
    const gone = new Promise((resolve) => charon.once("exit", resolve));
    charon.kill("SIGTERM");
    await gone;
  }

  remove(): void {
    const pids = spawnSync("ip", ["netns", "pids", this.namespace])
      .stdout.toString()
      .split("\n")
      .filter(Boolean);
    for (const pid of pids) spawnSync("kill", ["-KILL", pid]);
    spawnSync("ip", ["netns", "del", this.namespace]);
  }

  #swanctl(...args: string[]): string {
    const env = { PATH: process.env["PATH"], SWANCTL_DIR: this.#folder };
    const { stdout, stderr, status } = spawnSync("swanctl", [...args, "--uri", this.#socket], { env });
    if (status !== 0) throw new Error(`swanctl ${args[0]}: ${stderr.toString()}${stdout.toString()}`);
    return stdout.toString();
  }
}

/** What Debian's strongswan.d says, but for ESP in user space, whose packets to the other machine must not go into the tunnel again. */
function daemonSettings(folder: string, socket: string): string {
  const plugins =
    "aes sha1 sha2 hmac gcm kdf random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints kernel-libipsec kernel-netlink socket-default updown vici";
  return `charon-systemd {
  load = ${plugins}
  plugins {
    kernel-libipsec { allow_peer_ts = yes }
    kernel-netlink { fwmark = !0x42 }
    socket-default { fwmark = 0x42 }
    vici { socket = ${socket} }
  }
  filelog {
    log { path = ${join(folder, "charon.log")}
      default = 1
      flush_line = yes }
  }
}
`;
}

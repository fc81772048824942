import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

/**
 * Network namespaces. The whole suite runs in one of its own (the hub), so nothing it does can be seen outside. For
 * partitions each process of the core moves to one more, linked to a bridge in the hub, and keeps its 127.0.x.y address:
 * `route_localnet` lets those travel over the link.
 */
const PREFIX = "twf";
const FOLDER = "/run/netns";
const BRIDGE = "hub";
/** Where UEs are: not 127.0.0.1, which stays every namespace's own. */
export const UE_ADDRESS = "127.0.100.1";
/** A neighbour that is nobody: what is sent to it is lost without a word, as by a cable that is cut. */
const NOBODY = "02:00:00:00:00:99";

/** Why namespaces cannot be had; undefined: they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  for (const program of ["ip", "nsenter"])
    if (spawnSync(program, ["-V"]).error !== undefined) return `needs the program ${program}`;
  const name = `${PREFIX}-${process.pid}-try`;
  const made = spawnSync("ip", ["netns", "add", name]);
  if (made.status !== 0) return `ip netns add: ${made.stderr.toString().trim()}`;
  ip("netns", "del", name);
  return undefined;
}

/** Makes the hub with a working loopback; gives its name. */
export function makeHub(): string {
  const name = `${PREFIX}-${process.pid}`;
  ip("netns", "add", name);
  ip("-n", name, "link", "set", "lo", "up");
  return name;
}

/** Ends what still runs in the namespaces of one suite, and removes them. */
export function removeNamespaces(hub: string): void {
  if (!existsSync(FOLDER)) return;
  for (const name of readdirSync(FOLDER).filter((one) => one === hub || one.startsWith(`${hub}-`))) {
    const pids = spawnSync("ip", ["netns", "pids", name]).stdout.toString().split("\n").filter(Boolean);
    for (const pid of pids)
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    spawnSync("ip", ["netns", "del", name]);
  }
}

/** Namespaces of suites that were killed and could not clean up. */
export function removeLeftOvers(): void {
  if (!existsSync(FOLDER)) return;
  for (const name of readdirSync(FOLDER)) {
    const [, pid] = new RegExp(`^${PREFIX}-(\\d+)$`).exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespaces(name);
  }
}

/** One namespace for each address, linked to a bridge in the hub, which is where we are. */
export class Network {
  readonly #hub: string;
  readonly #members = new Map<string, { namespace: string; host: string }>();
  #bridged = false;

  constructor(hub: string) {
    this.#hub = hub;
  }

  /** Loopback addresses of the hub go over the bridge from now on: nothing may be listening on them any more. */
  bridge(): void {
    if (this.#bridged) return;
    this.#bridged = true;
    ip("link", "add", BRIDGE, "type", "bridge");
    ip("link", "set", BRIDGE, "up");
    narrowLoopback(this.#hub, BRIDGE);
    ip("addr", "add", `${UE_ADDRESS}/8`, "dev", BRIDGE);
  }

  /** The namespace of a member, made when it is first asked for. */
  add(member: string, host: string): string {
    const known = this.#members.get(member);
    if (known !== undefined) return known.namespace;
    this.bridge();
    const namespace = `${this.#hub}-${member}`;
    const port = `p${this.#members.size}`;
    ip("netns", "add", namespace);
    ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("link", "set", port, "master", BRIDGE, "up");
    ip("-n", namespace, "link", "set", "lo", "up");
    narrowLoopback(namespace, "eth0");
    ip("-n", namespace, "link", "set", "eth0", "up");
    ip("-n", namespace, "addr", "add", `${host}/8`, "dev", "eth0");
    this.#members.set(member, { namespace, host });
    return namespace;
  }

  /** Nothing gets from one member to the other, in either direction, and nobody is told. */
  cut(one: string, other: string): void {
    this.#both(one, other, (namespace, host) =>
      ip("-n", namespace, "neigh", "replace", host, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent"),
    );
  }

  heal(one: string, other: string): void {
    this.#both(one, other, (namespace, host) => ip("-n", namespace, "neigh", "del", host, "dev", "eth0"));
  }

  #both(one: string, other: string, change: (namespace: string, host: string) => void): void {
    const [a, b] = [this.#members.get(one), this.#members.get(other)];
    if (a === undefined || b === undefined) throw new Error(`${one} and ${other} have no link to cut`);
    change(a.namespace, b.host);
    change(b.namespace, a.host);
  }
}

/** Only 127.0.0.1 stays on lo; other loopback addresses may be somewhere else. */
function narrowLoopback(namespace: string, device: string): void {
  const inside = (...words: string[]): void =>
    void execFileSync("nsenter", [`--net=${FOLDER}/${namespace}`, ...words], { stdio: "pipe" });
  for (const scope of ["all", "default", device])
    inside("sh", "-c", `echo 1 > /proc/sys/net/ipv4/conf/${scope}/route_localnet`);
  inside("ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
  inside("ip", "addr", "add", "127.0.0.1/32", "dev", "lo");
}

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: "pipe" });
}

import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Element,
  elements,
  type PeerOptions,
  peerAddresses,
  scscfUri,
  writePeerConfiguration,
} from "./config.ts";

export type Peer = {
  /** Process ids by element; each element is a tree of processes. */
  readonly pids: ReadonlyMap<Element | "hss", number>;
  readonly version: string;
  hssCounters(): Promise<Record<string, number>>;
  stop(): Promise<void>;
};

// The S-CSCF locks up with tlsf now and then; the default allocator costs more.
const allocator: Record<Element, string> = { pcscf: "tlsf", icscf: "tlsf", scscf: "fm" };

/** The version line, or null when Kamailio or its IMS modules are not installed. */
export function kamailioVersion(): string | null {
  const version = spawnSync("kamailio", ["-v"], { encoding: "utf8" });
  if (version.status !== 0) return null;
  return /kamailio \S+/.exec(version.stdout)?.[0] ?? null;
}

/** Starts HSS, S-, I- and P-CSCF and resolves when all answer. `subscribersFile`: lines `user;password`. */
export async function startPeer(options: PeerOptions, subscribersFile: string): Promise<Peer> {
  const version = kamailioVersion();
  if (version === null) throw new Error("Kamailio is not installed: sh scripts/install-test-tools --peer");
  for (const element of elements) await mustBeFree(element);
  writePeerConfiguration(options);
  const children = new Map<Element | "hss", ChildProcess>();
  const stop = () => stopAll(children);
  try {
    const hss = startHss(options, subscribersFile);
    children.set("hss", hss);
    await nextMessage(hss);
    for (const element of elements) children.set(element, startElement(options.directory, element));
    const hssCounters = async (): Promise<Record<string, number>> => {
      hss.send("counters");
      return (await nextMessage(hss)) as Record<string, number>;
    };
    await until(
      "both Cx connections",
      async () => (await hssCounters())["connections"] === 2,
      options,
      children,
    );
    for (const element of elements) await until(element, () => answersOptions(element), options, children);
    const pids = new Map([...children].map(([name, child]) => [name, child.pid ?? 0]));
    return { pids, version, hssCounters, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function startHss(options: PeerOptions, subscribersFile: string): ChildProcess {
  const { host, port } = peerAddresses.hss;
  const program = join(import.meta.dirname, "hss.ts");
  return fork(program, [host, String(port), options.domain, scscfUri(options), subscribersFile]);
}

function startElement(directory: string, element: Element): ChildProcess {
  const log = openSync(join(directory, `${element}.log`), "w");
  const memory = ["-m", "1024", "-M", "16", "-x", allocator[element], "-X", allocator[element]];
  const files = ["-f", join(directory, `${element}.cfg`), "-w", directory, "-Y", directory];
  // A process group of its own, so that all of its processes, and only those, can be ended.
  return spawn("kamailio", ["-DD", "-E", ...files, ...memory], {
    detached: true,
    stdio: ["ignore", log, log],
  });
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error("the HSS of the peer ended or said nothing for 5 s"));
    const timer = setTimeout(failed, 5000);
    child.once("exit", failed);
    child.once("message", (message) => {
      clearTimeout(timer);
      child.off("exit", failed);
      resolve(message);
    });
  });
}

async function until(
  what: string,
  check: () => Promise<boolean>,
  { directory }: PeerOptions,
  children: ReadonlyMap<Element | "hss", ChildProcess>,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    for (const [name, child] of children) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended: ${tail(directory, name)}`);
    }
    if (performance.now() > deadline) throw new Error(`the peer did not come up within 20 s: no ${what}`);
    await delay(50);
  }
}

function tail(directory: string, name: string): string {
  if (name === "hss") return "see above";
  return readFileSync(join(directory, `${name}.log`), "utf8")
    .split("\n")
    .slice(-8)
    .join("\n");
}

/** Two Kamailios would share one UDP port without a word. */
function mustBeFree(element: Element): Promise<void> {
  const { host, port } = peerAddresses[element];
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.on("error", (cause) => reject(new Error(`${element}: ${host}:${port} is taken`, { cause })));
    socket.bind(port, host, () => socket.close(() => resolve()));
  });
}

function answersOptions(element: Element): Promise<boolean> {
  const { host, port } = peerAddresses[element];
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (answered: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answered);
    };
    const timer = setTimeout(() => done(false), 500);
    socket.on("message", () => done(true));
    socket.on("error", () => done(false));
    socket.bind(0, "127.0.0.1", () => {
      const own = `127.0.0.1:${socket.address().port}`;
      const lines = [
        `OPTIONS sip:${host}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${own.replaceAll(/\W/g, "")}`,
        "Max-Forwards: 70",
        `From: <sip:probe@${own}>;tag=1`,
        `To: <sip:${host}:${port}>`,
        `Call-ID: ${own}`,
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
      ];
      socket.send(`${lines.join("\r\n")}\r\n\r\n`, port, host);
    });
  });
}

async function stopAll(children: ReadonlyMap<string, ChildProcess>): Promise<void> {
  await Promise.all([...children].map(([name, child]) => stopOne(child, name !== "hss")));
}

/** TERM, and KILL to the whole group of the child after 5 s. */
async function stopOne(child: ChildProcess, group: boolean): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => signal(group ? -pid : pid, "SIGKILL"), 5000);
  await gone;
  clearTimeout(timer);
  if (group) signal(-pid, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // already gone
  }
}

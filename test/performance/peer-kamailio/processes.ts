import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { openSync } from "node:fs";
import { join } from "node:path";
import type { Element, ElementAddress } from "./config.ts";

// The S-CSCF locks up with tlsf now and then; the default allocator costs more.
const allocator: Record<Element, string> = { pcscf: "tlsf", icscf: "tlsf", scscf: "fm" };

/** The version line, or null when Kamailio or its IMS modules are not installed. */
export function kamailioVersion(): string | null {
  const version = spawnSync("kamailio", ["-v"], { encoding: "utf8" });
  if (version.status !== 0) return null;
  return /kamailio \S+/.exec(version.stdout)?.[0] ?? null;
}

/** Starts an element with the configuration in `directory`. `megabytes`: shared memory. */
export function startElement(directory: string, element: Element, megabytes = 1024): ChildProcess {
  const log = openSync(join(directory, `${element}.log`), "w");
  const memory = ["-m", String(megabytes), "-M", "16", "-x", allocator[element], "-X", allocator[element]];
  const files = ["-f", join(directory, `${element}.cfg`), "-w", directory, "-Y", directory];
  // A process group of its own, so that all of its processes, and only those, can be ended.
  return spawn("kamailio", ["-DD", "-E", ...files, ...memory], {
    detached: true,
    stdio: ["ignore", log, log],
  });
}

/** Two Kamailios would share one UDP port without a word. */
export function mustBeFree(element: Element, { host, port }: ElementAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.on("error", (cause) => reject(new Error(`${element}: ${host}:${port} is taken`, { cause })));
    socket.bind(port, host, () => socket.close(() => resolve()));
  });
}

/** Does it answer OPTIONS? */
export function answersOptions({ host, port }: ElementAddress): Promise<boolean> {
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

/** TERM, and KILL to the whole group of the child after 5 s. */
export async function stopOne(child: ChildProcess, group: boolean): Promise<void> {
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

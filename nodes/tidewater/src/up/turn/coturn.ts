import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { coturnConfiguration, TURN_PORT } from "@ims/api";
import { guardOf } from "../guard.ts";
import { ended, terminate } from "../pools/child.ts";

const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 3_000;
const PROBE_EVERY_MS = 50;
const FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", "/usr/sbin"];

/** What ellis is told of the TURN server. */
export interface TurnOfLab {
  readonly secretFile: string;
  readonly uris: readonly string[];
}

export interface Coturn extends TurnOfLab {
  readonly pid: number;
  /** Settles with the reason when it ends by itself. */
  readonly failure: Promise<string>;
  stop(): Promise<void>;
}

/** Runs coturn of this machine on `host`, with a secret of its own in the state directory. Throws an Error that says what is missing. */
export async function startCoturn({
  host,
  domain,
  stateDir,
  port = TURN_PORT,
}: {
  readonly host: string;
  readonly domain: string;
  readonly stateDir: string;
  readonly port?: number;
}): Promise<Coturn> {
  const program = FOLDERS.map((folder) => join(folder, "turnserver")).find(isExecutable);
  if (program === undefined)
    throw new Error("--turn needs coturn, which is not installed: apt-get install coturn (Debian, Ubuntu)");
  if (await takesConnections(host, port))
    throw new Error(`--turn: ${host}:${port} is in use by another process`);
  const folder = join(stateDir, "turn");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secretFile = join(folder, "secret");
  const configuration = join(folder, "turnserver.conf");
  const secret = secretOf(secretFile);
  writeFileSync(
    configuration,
    coturnConfiguration({ realm: domain, secret, addresses: [host], denied: [], folder, port }),
    { mode: 0o600 },
  );
  // A process group of its own: a Ctrl-C at the terminal is ours to handle.
  const child = spawn(program, ["-c", configuration], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: {},
  });
  const guard = child.pid === undefined ? undefined : guardOf(child.pid);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("latin1").on("data", (text: string) => {
      said = (said + text).slice(-4_000);
    });
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      guard?.kill("SIGKILL");
      resolve(`coturn ended (${signal ?? `exit code ${code}`}): ${said.trim().split("\n").at(-1) ?? ""}`);
    });
  });
  const why = await answers(host, port, child, failure);
  const stop = async (): Promise<void> => {
    if (!ended(child)) await terminate(child, STOP_WITHIN_MS);
  };
  if (why !== undefined) {
    await stop();
    throw new Error(`--turn: ${why}`);
  }
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const uris = ["udp", "tcp"].map((transport) => `turn:${at}?transport=${transport}`);
  return { pid: child.pid ?? 0, secretFile, uris, failure, stop };
}

/** That of the last run, or a new one. */
function secretOf(file: string): string {
  try {
    writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8").trim();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined as soon as it takes connections, a reason when it does not. */
async function answers(
  host: string,
  port: number,
  child: ChildProcess,
  failure: Promise<string>,
): Promise<string | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && !ended(child)) {
    if (await takesConnections(host, port)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  if (ended(child)) return await failure;
  return `coturn does not answer at ${host}:${port} within ${READY_WITHIN_MS / 1000} s`;
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(500, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

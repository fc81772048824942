import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { accessSync, constants } from "node:fs";
import { isIPv6 } from "node:net";
import { delimiter, join } from "node:path";
import { guardOf } from "../guard.ts";
import { ended, terminate } from "../pools/child.ts";

/** Where rtpengine takes commands, and RTP: 250 calls with audio. */
const NG_PORT = 2_223;
const RTP_PORTS = { first: 30_000, last: 30_999 };
const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 3_000;
const PROBE_EVERY_MS = 100;
const FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", "/usr/sbin"];

/** When bono is to use it: its option --media-gateway. */
export type Engage = "auto" | "always";

/** What bono is told of the media gateway. */
export interface MediaGatewayOfLab {
  /** host:port of its control port. */
  readonly address: string;
  readonly engage: Engage;
}

export interface Rtpengine extends MediaGatewayOfLab {
  readonly pid: number;
  /** Settles with the reason when it ends by itself. */
  readonly failure: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Runs rtpengine of this machine in user space: media on `host`, commands on `inside`. Its process id is in rtpengine.pid of the state
 * directory. Throws an Error that says what is missing.
 */
export async function startRtpengine({
  host,
  inside,
  stateDir,
  engage,
  port = NG_PORT,
}: {
  readonly host: string;
  readonly inside: string;
  readonly stateDir: string;
  readonly engage: Engage;
  readonly port?: number;
}): Promise<Rtpengine> {
  const program = FOLDERS.map((folder) => join(folder, "rtpengine")).find(isExecutable);
  if (program === undefined)
    throw new Error(
      "--media-gateway needs rtpengine, which is not installed: apt-get install --no-install-recommends rtpengine-daemon (Debian 12)",
    );
  const address = `${isIPv6(inside) ? `[${inside}]` : inside}:${port}`;
  if (await answersPing(inside, port))
    throw new Error(`--media-gateway: ${address} is in use by another rtpengine`);
  // A process group of its own: a Ctrl-C at the terminal is ours to handle.
  const child = spawn(
    program,
    [
      ...["--config-file=none", "--foreground", "--table=-1", "--log-stderr", "--log-level=4"],
      ...[`--interface=${host}`, `--listen-ng=${address}`, `--pidfile=${join(stateDir, "rtpengine.pid")}`],
      ...[`--port-min=${RTP_PORTS.first}`, `--port-max=${RTP_PORTS.last}`, "--num-threads=2"],
      ...["--timeout=60", "--silent-timeout=3600", "--offer-timeout=300", "--delete-delay=0"],
    ],
    { stdio: ["ignore", "ignore", "pipe"], detached: true, env: {} },
  );
  const guard = child.pid === undefined ? undefined : guardOf(child.pid);
  let said = "";
  child.stderr.setEncoding("latin1").on("data", (text: string) => {
    said = (said + text).slice(-4_000);
  });
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      guard?.kill("SIGKILL");
      resolve(`rtpengine ended (${signal ?? `exit code ${code}`}): ${said.trim().split("\n").at(-1) ?? ""}`);
    });
  });
  const why = await answers({ inside, port }, child, failure);
  const stop = async (): Promise<void> => {
    if (!ended(child)) await terminate(child, STOP_WITHIN_MS);
  };
  if (why !== undefined) {
    await stop();
    throw new Error(`--media-gateway: ${why}`);
  }
  return { pid: child.pid ?? 0, address, engage, failure, stop };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined as soon as it answers, a reason when it does not. */
async function answers(
  { inside, port }: { readonly inside: string; readonly port: number },
  child: ChildProcess,
  failure: Promise<string>,
): Promise<string | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && !ended(child)) {
    if (await answersPing(inside, port)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  if (ended(child)) return await failure;
  return `rtpengine does not answer at ${inside}:${port} within ${READY_WITHIN_MS / 1000} s`;
}

/** One ping of the ng protocol. */
function answersPing(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cookie = randomBytes(8).toString("hex");
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const done = (is: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.close();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), 300);
    socket.once("error", () => done(false));
    socket.on("message", (octets) => done(octets.toString("latin1").startsWith(`${cookie} `)));
    socket.connect(port, host, () => socket.send(`${cookie} d7:command4:pinge`));
  });
}

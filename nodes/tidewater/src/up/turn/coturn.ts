import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { coturnConfiguration, TURN_PORT } from "@ims/api";
import { type Daemon, installed, startDaemon } from "../daemon.ts";

/** What ellis is told of the TURN server. */
export interface TurnOfLab {
  readonly secretFile: string;
  readonly uris: readonly string[];
}

export interface Coturn extends TurnOfLab, Daemon {}

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
  const program = installed("turnserver");
  if (program === undefined)
    throw new Error("--turn needs coturn, which is not installed: apt-get install coturn (Debian, Ubuntu)");
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const answers = (): Promise<boolean> => takesConnections(host, port);
  if (await answers()) throw new Error(`--turn: ${host}:${port} is in use by another process`);
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
  const uris = ["udp", "tcp"].map((transport) => `turn:${address}?transport=${transport}`);
  const args = ["-c", configuration];
  try {
    const daemon = await startDaemon({ name: "coturn", program, args, address, answers });
    return { ...daemon, secretFile, uris };
  } catch (error) {
    throw new Error(`--turn: ${(error as Error).message}`);
  }
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

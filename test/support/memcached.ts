import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import net from "node:net";
import tls from "node:tls";
import { freePort } from "@ims/runtime/testing";

/** A real memcached on a loopback port. */
export interface MemcachedProcess {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly id: string;
  /** Of the process running now. */
  pid(): number;
  /** kill -9; resolves when it is gone. Harmless when it is. */
  kill(): Promise<void>;
  /** A new, empty process on the same port. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
}

export interface StartMemcachedOptions {
  readonly host?: string;
  /** Default: one that is free now. */
  readonly port?: number;
  readonly megabytes?: number;
  /** Further command line arguments. */
  readonly args?: readonly string[];
  /** It speaks TLS (`args` say so): PEM texts by which it is asked whether it answers. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** Null when memcached can run, else why not. */
export function memcachedMissing(): string | null {
  const found = spawnSync("memcached", ["-V"], { encoding: "utf8" });
  if (found.status === 0) return null;
  return "memcached is not installed: sh scripts/install-test-tools";
}

/** Starts a memcached and waits until it answers. The caller ends it with `kill`. */
export async function startMemcached(options: StartMemcachedOptions = {}): Promise<MemcachedProcess> {
  const host = options.host ?? "127.0.0.1";
  let port = options.port ?? 0;
  let child: ChildProcess | undefined;

  const launch = async (): Promise<void> => {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (options.port === undefined && attempt + port === 0) port = await freePort(host);
      const started = spawn(
        "memcached",
        [
          "-l",
          host,
          "-p",
          String(port),
          "-U",
          "0",
          "-m",
          String(options.megabytes ?? 64),
          "-t",
          "1",
          ...(process.getuid?.() === 0 ? ["-u", "nobody"] : []),
          ...(options.args ?? []),
        ],
        { stdio: "ignore" },
      );
      child = started;
      if (await answers(started, host, port, options.tls)) return;
      await end(started);
      await pause(100);
    }
    throw new Error(`memcached does not start on ${host}:${port}`);
  };

  await launch();
  return {
    host,
    get port() {
      return port;
    },
    get id() {
      return `${host}:${port}`;
    },
    pid: () => child?.pid ?? 0,
    kill: async () => {
      if (child !== undefined) await end(child);
    },
    async restart() {
      if (child !== undefined) await end(child);
      await launch();
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
  };
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

async function answers(
  child: ChildProcess,
  host: string,
  port: number,
  secure: StartMemcachedOptions["tls"],
): Promise<boolean> {
  let failed = false;
  child.once("error", () => {
    failed = true;
  });
  for (let i = 0; i < 100 && !failed && child.exitCode === null; i++) {
    if (await connects(host, port, secure)) return true;
    await pause(20);
  }
  return false;
}

function connects(host: string, port: number, secure: StartMemcachedOptions["tls"]): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = (): void => void socket.write("mn\r\n");
    // Whether its certificate is good is for the client under test to find out.
    const socket =
      secure === undefined
        ? net.connect({ host, port }, ask)
        : tls.connect({ host, port, ...secure, rejectUnauthorized: false }, ask);
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString().startsWith("MN"));
    });
    socket.once("error", () => resolve(false));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@ims/runtime/testing";

/** One real etcd of a cluster on loopback. */
export interface EtcdProcess {
  readonly name: string;
  /** http://127.0.0.1:port */
  readonly url: string;
  pid(): number;
  /** kill -9; resolves when it is gone. Harmless when it is. */
  kill(): Promise<void>;
  /** The same member with the same data again; does not wait for it to answer. */
  restart(): Promise<void>;
  readonly peerUrl: string;
  /** The same member on what `prepare` makes of its data directory, with other options. */
  restartAs(
    options: Readonly<Record<string, string>>,
    prepare: (data: string) => Promise<void>,
  ): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
}

export interface EtcdCluster {
  readonly members: readonly EtcdProcess[];
  /** For --etcd: all members, separated by commas. */
  readonly endpoints: string;
  /** The member that leads now. */
  leader(): Promise<EtcdProcess>;
  /** Resolves when a write is accepted. */
  writable(): Promise<void>;
  /** Ends all processes and removes their data. */
  stop(): Promise<void>;
}

/** PEM files of a cluster that takes https with a client certificate only; `writable` and `leader` are not for it. */
export interface EtcdFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Null when etcd can run, else why not. */
export function etcdMissing(): string | null {
  const found = spawnSync("etcd", ["--version"], { encoding: "utf8", env: environment() });
  return found.status === 0 ? null : "etcd is not installed: sh scripts/install-test-tools";
}

/** Starts a cluster of so many members and waits until it takes writes. The caller ends it with `stop`. */
export async function startEtcdCluster(size = 3, tls?: EtcdFiles): Promise<EtcdCluster> {
  const ports = await freePorts(2 * size);
  const folder = mkdtempSync(join(tmpdir(), "etcd-cluster-"));
  const peers = Array.from({ length: size }, (_, i) => `etcd-${i + 1}=http://127.0.0.1:${ports[2 * i + 1]}`);
  const members = peers.map((peer, i) => {
    const [name = "", peerUrl = ""] = peer.split("=");
    const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${ports[2 * i]}`;
    return startMember({ name, url, peerUrl, all: peers.join(","), data: join(folder, name), tls });
  });
  const cluster: EtcdCluster = {
    members,
    endpoints: members.map(({ url }) => url).join(","),
    async leader() {
      for (let i = 0; i < 200; i++) {
        for (const member of members) {
          const status = await post(member.url, "/v3/maintenance/status", {});
          const { header, leader } = status as { header?: { member_id?: string }; leader?: string };
          if (leader !== undefined && leader === header?.member_id) return member;
        }
        await pause(50);
      }
      throw new Error("no etcd leads");
    },
    async writable() {
      for (let i = 0; i < 400; i++) {
        for (const { url } of members) {
          const answer = await post(url, "/v3/kv/put", { key: "cHJvYmU=", value: "" });
          if (answer["header"] !== undefined) return;
        }
        await pause(50);
      }
      throw new Error("etcd takes no writes");
    },
    async stop() {
      await Promise.all(members.map((member) => member.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    if (tls === undefined) await cluster.writable();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function startMember(member: {
  readonly name: string;
  readonly url: string;
  readonly peerUrl: string;
  readonly all: string;
  readonly data: string;
  readonly tls: EtcdFiles | undefined;
}): EtcdProcess {
  const { name, url, peerUrl, all, data, tls } = member;
  const options = {
    name,
    "data-dir": data,
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": all,
    "initial-cluster-state": "new",
    "heartbeat-interval": "100",
    "election-timeout": "1000",
    "log-level": "error",
    ...(tls && { "cert-file": tls.certFile, "key-file": tls.keyFile, "trusted-ca-file": tls.caFile }),
  };
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
  if (tls !== undefined) args.push("--client-cert-auth");
  const launch = (more: readonly string[] = []): ChildProcess =>
    spawn("etcd", [...args, ...more], { stdio: "ignore", env: environment() });
  let child = launch();
  return {
    name,
    url,
    pid: () => child.pid ?? 0,
    kill: () => end(child),
    async restart() {
      await end(child);
      child = launch();
    },
    peerUrl,
    async restartAs(other, prepare) {
      await end(child);
      await prepare(data);
      child = launch(Object.entries(other).flatMap(([key, value]) => [`--${key}`, value]));
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
  };
}

/** etcd 3.4 wants to be told that an ARM machine is meant. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ...(process.arch === "arm64" ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {}) };
}

async function post(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  try {
    const signal = AbortSignal.timeout(500);
    const answer = await fetch(url + path, { method: "POST", body: JSON.stringify(body), signal });
    return answer.ok ? ((await answer.json()) as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "../..");

/** What stands for vellum on this side of the bridge: one etcd, two memcacheds that register themselves. All end with `stop`. */
export class HostSide {
  readonly #children: ChildProcess[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A bridge in this network namespace, with the addresses. */
  network(bridge: string, addresses: readonly string[]): void {
    const ip = (...args: string[]): void => void execFileSync("ip", args);
    ip("link", "set", "lo", "up");
    ip("link", "add", bridge, "type", "bridge");
    for (const address of addresses) ip("addr", "add", `${address}/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
  }

  async start(seed: string, memcacheds: readonly string[]): Promise<void> {
    const data = join(this.#folder, "etcd");
    mkdirSync(data);
    const url = `http://${seed}:2379`;
    const peer = `http://${seed}:2380`;
    this.#spawn("etcd", "etcd", [
      ...["--name", "seed", "--data-dir", data, "--listen-client-urls", url, "--advertise-client-urls", url],
      ...[
        "--listen-peer-urls",
        peer,
        "--initial-advertise-peer-urls",
        peer,
        "--initial-cluster",
        `seed=${peer}`,
      ],
    ]);
    await until("etcd answers", 60, async () => (await fetch(`${url}/health`)).ok);
    for (const [index, address] of memcacheds.entries()) {
      this.#spawn(`memcached-${index}`, "memcached", [
        "-l",
        address,
        "-p",
        "11211",
        "-U",
        "0",
        "-u",
        "nobody",
      ]);
      const config = join(this.#folder, `cluster-${index}`);
      writeFileSync(config, `etcd=${url}\npool=memcached\nmember=memcached-${index}\naddresses=${address}\n`);
      const main = join(ROOT, "etcd-cluster/bin/etcd-cluster.ts");
      this.#spawn(`cluster-${index}`, process.execPath, [main, "--config", config]);
    }
  }

  #spawn(name: string, command: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `${name}.log`), "a");
    const child = spawn(command, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    child.on("error", (error) => console.error(`${name} cannot be started: ${error.message}`));
    this.#children.push(child);
  }

  async stop(): Promise<void> {
    const running = this.#children.filter(
      ({ exitCode, signalCode, pid }) => exitCode === null && signalCode === null && pid !== undefined,
    );
    const gone = running.map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(gone);
  }
}

/** Polls until it holds; what it throws counts as no. @throws Error with the last reason */
export async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  let last = "";
  for (;;) {
    try {
      if (await holds()) return;
      last = "not so";
    } catch (error) {
      last = String((error as Error & { cause?: Error }).cause?.message ?? (error as Error).message);
    }
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what} (${last})`);
    await sleep(250);
  }
}

/** Keys and values below a prefix of etcd. */
export async function etcdEntries(seed: string, prefix: string): Promise<Map<string, string>> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const response = await fetch(`http://${seed}:2379/v3/kv/range`, {
    method: "POST",
    body: JSON.stringify({ key: base64(prefix), range_end: base64(`${prefix}~`) }),
  });
  const { kvs = [] } = (await response.json()) as { kvs?: { key: string; value?: string }[] };
  const text = (value = ""): string => Buffer.from(value, "base64").toString();
  return new Map(kvs.map(({ key, value }) => [text(key), text(value)]));
}

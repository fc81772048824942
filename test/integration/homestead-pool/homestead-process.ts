import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProvisioningClient } from "@ims/api";

const PROGRAM = join(import.meta.dirname, "../../../nodes/homestead/bin/homestead.ts");
/** The first one makes the tables; a machine with two cores runs three Cassandra nodes beside it. */
const START_WITHIN_MS = 120_000;

/** A homestead as a process of its own. */
export class HomesteadProcess {
  readonly diameterHost: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly client: ProvisioningClient;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #output: { text: string };

  private constructor(
    diameterHost: string,
    ports: Readonly<Record<string, number>>,
    started: { child: ChildProcess; exited: Promise<number | null>; output: { text: string } },
  ) {
    this.diameterHost = diameterHost;
    this.ports = ports;
    this.client = new ProvisioningClient(this.url("provisioning"));
    this.#child = started.child;
    this.#exited = started.exited;
    this.#output = started.output;
  }

  /** Resolves when it serves subscribers; rejects with what it printed when it ends before. */
  static async start(index: number, args: readonly string[]): Promise<HomesteadProcess> {
    const diameterHost = `homestead-${index}.homestead.example.com`;
    const folder = mkdtempSync(join(tmpdir(), "homestead-"));
    const ports = ["--diameter-port", "0", "--provisioning-port", "0", "--management-port", "0"];
    const own = ["--diameter-host", diameterHost, "--state-dir", folder, "--quiesce-seconds", "0"];
    const child = spawn(process.execPath, [PROGRAM, ...own, ...ports, ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const output = { text: "" };
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => (output.text += chunk));
    const exited = new Promise<number | null>((resolve) => {
      child.once("exit", (code) => {
        rmSync(folder, { recursive: true, force: true });
        resolve(code);
      });
    });
    const ready = new Promise<Record<string, number>>((resolve) => {
      child.once("message", (message: { ports: Record<string, number> }) => resolve(message.ports));
    });
    const late = AbortSignal.timeout(START_WITHIN_MS);
    const given = await Promise.race([
      ready,
      exited.then((code) => `ended with ${code}`),
      new Promise<string>((resolve) => late.addEventListener("abort", () => resolve("not ready in time"))),
    ]);
    if (typeof given === "string") {
      child.kill("SIGKILL");
      throw new Error(`${given}: ${output.text}`);
    }
    const homestead = new HomesteadProcess(diameterHost, given, { child, exited, output });
    // It starts without its store, too.
    while (!late.aborted) {
      const response = await fetch(`${homestead.url("management")}/health/ready`);
      await response.body?.cancel();
      if (response.ok) return homestead;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await homestead.kill();
    throw new Error(`not ready in time: ${output.text}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All it printed. */
  get output(): string {
    return this.#output.text;
  }

  url(port: "provisioning" | "management"): string {
    return `http://127.0.0.1:${this.ports[port]}`;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

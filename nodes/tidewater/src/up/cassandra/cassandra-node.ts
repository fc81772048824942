import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guardOf } from "../guard.ts";
import {
  cassandraYaml,
  javaArguments,
  LOGBACK_XML,
  type NodeConfiguration,
  rackProperties,
} from "./configuration.ts";
import { answersCql } from "./cql-probe.ts";
import type { CassandraInstallation } from "./installation.ts";

const STOP_WITHIN_MS = 15_000;
const PROBE_EVERY_MS = 50;

/** One Cassandra process on an address of its own. It ends with us, also when we are killed. */
export class CassandraNode {
  readonly host: string;
  readonly cqlPort: number;
  readonly logFile: string;
  readonly #configuration: NodeConfiguration;
  readonly #installation: CassandraInstallation;
  readonly #heapMb: number;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  /** Where in the log file the present process began. */
  #logFrom = 0;

  constructor(installation: CassandraInstallation, configuration: NodeConfiguration, heapMb: number) {
    this.host = configuration.host;
    this.cqlPort = configuration.cqlPort;
    this.logFile = join(configuration.folder, "cassandra.log");
    this.#configuration = configuration;
    this.#installation = installation;
    this.#heapMb = heapMb;
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Starts the process on whatever its folder holds; `waitUntilReady` waits for it. */
  start(): void {
    if (this.isRunning) return;
    const { folder, dataCenter } = this.#configuration;
    mkdirSync(join(folder, "tmp"), { recursive: true });
    writeFileSync(join(folder, "cassandra.yaml"), cassandraYaml(this.#configuration));
    writeFileSync(join(folder, "logback.xml"), LOGBACK_XML);
    if (dataCenter !== undefined)
      writeFileSync(join(folder, "cassandra-rackdc.properties"), rackProperties(dataCenter));
    const log = openSync(this.logFile, "a", 0o600);
    this.#logFrom = statSync(this.logFile).size;
    const { java, classPath, agent, classArguments } = this.#installation;
    const child = spawn(
      java,
      [
        `-javaagent:${agent}`,
        ...classArguments,
        ...javaArguments(this.#configuration, this.#heapMb),
        ...["-cp", classPath, "org.apache.cassandra.service.CassandraDaemon"],
      ],
      // A process group of its own: a Ctrl-C at the terminal is ours to handle. No environment: it may hold secrets.
      { cwd: folder, stdio: ["ignore", log, log], detached: true, env: { PATH: process.env["PATH"] } },
    );
    closeSync(log);
    const guard = child.pid === undefined ? undefined : guardOf(child.pid);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = (): void => {
        guard?.kill("SIGKILL");
        resolve();
      };
      child.once("exit", ended);
      child.once("error", ended);
    });
  }

  /** CQL is answered. @throws Error with the end of its log when it ends before, or takes longer. */
  async waitUntilReady(withinMs = 60_000): Promise<void> {
    // Another program's node may answer on this address: ours says that it has started.
    await this.#wait(withinMs, "does not answer", async () =>
      this.log().includes("Startup complete")
        ? answersCql(this.host, this.cqlPort, this.#configuration.tls)
        : false,
    );
  }

  /** Its log says of each of `hosts` that it is up. */
  async waitUntilSeen(hosts: readonly string[], withinMs = 60_000): Promise<void> {
    await this.#wait(withinMs, `does not see all of ${hosts.join(", ")}`, async () => {
      const log = this.log();
      return hosts.every(
        (host) => host === this.host || log.includes(`/${host}:${this.#configuration.storagePort} is now UP`),
      );
    });
  }

  async #wait(withinMs: number, problem: string, isDone: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await isDone())) {
      if (!this.isRunning) throw new Error(`Cassandra on ${this.host} ended:\n${this.#lastWords()}`);
      if (performance.now() > deadline)
        throw new Error(
          `Cassandra on ${this.host} ${problem} within ${withinMs / 1000} s:\n${this.#lastWords()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  }

  /** What the present process wrote. */
  log(): string {
    return readFileSync(this.logFile).subarray(this.#logFrom).toString();
  }

  #lastWords(): string {
    const lines = this.log().trimEnd().split("\n");
    const firstError = lines.findIndex((line) => /^ERROR|^Exception|Error: /.test(line));
    return lines
      .slice(firstError < 0 ? -15 : firstError)
      .slice(0, 15)
      .join("\n");
  }

  /** SIGSTOP: connections stay open, nothing is answered. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** SIGKILL; resolves when it is gone. What it had acknowledged is in its commit log. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async stop(withinMs = STOP_WITHIN_MS): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    child.kill("SIGCONT");
    const hard = setTimeout(() => child.kill("SIGKILL"), withinMs);
    child.kill("SIGTERM");
    await this.#exited;
    clearTimeout(hard);
  }
}

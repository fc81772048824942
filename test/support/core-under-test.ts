import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { endProgram, programIn, readyLine, runProgram } from "./program.ts";

const READY_WITHIN_MS = 40_000;

const tidewater: CoreUnderTest["tidewater"] = (args, input = "") =>
  runProgram(args, { input, timeoutMs: 60_000 });

/** A whole core (homestead, sprout, bono) on a loopback address of its own, with the ports of the design. */
export interface CoreUnderTest {
  readonly host: string;
  readonly domain: string;
  readonly stateDir: string;
  readonly sip: {
    readonly host: string;
    readonly udpPort: number;
    readonly tcpPort: number;
    readonly tlsPort: number;
    readonly wsPort: number;
    readonly wssPort: number;
  };
  readonly provisioning: string;
  readonly nodes: readonly { readonly name: string; readonly pid: number }[];
  /** Their processes, each once: nodes may share one. */
  readonly pids: readonly number[];
  /** What the nodes wrote so far, logs and all. */
  readonly output: () => string;
  /** Adds subscribers through the command line program; throws with its message when refused. */
  addSubscriber(subscriber: {
    impi: string;
    impus: readonly string[];
    password: string;
    args?: readonly string[];
  }): Promise<void>;
  tidewater(
    args: readonly string[],
    input?: string,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  stop(): Promise<void>;
}

export interface CoreOptions {
  /** More arguments for `tidewater up`. */
  readonly args?: readonly string[];
  readonly host?: string;
  /** Another checkout whose program is run. Default: this one. */
  readonly checkout?: string;
  /** Beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a core and stops it after the test. */
export async function startCore(t: TestContext, options: CoreOptions = {}): Promise<CoreUnderTest> {
  const core = await launchCore(options);
  t.after(() => core.stop());
  return core;
}

/** Starts a core for a benchmark or a suite; the caller stops it. */
export async function launchCore(options: CoreOptions = {}): Promise<CoreUnderTest> {
  const host = options.host ?? `127.${randomInt(30, 120)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-test-"));
  const child = spawn(
    process.execPath,
    [
      programIn(options.checkout),
      "up",
      "--json",
      "--host",
      host,
      "--state-dir",
      stateDir,
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env } },
  );
  let output = "";
  child.stderr.setEncoding("latin1").on("data", (text: string) => {
    output = (output + text).slice(-200_000);
  });
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    output = (output + text).slice(-200_000);
  });
  const stop = async (): Promise<void> => {
    await endProgram(child, 15_000);
    rmSync(stateDir, { recursive: true, force: true });
  };
  try {
    const ready = await readyLine<ReadyLine>(child, { output: () => output, withinMs: READY_WITHIN_MS });
    return {
      host,
      domain: ready.domain,
      stateDir,
      sip: { host, udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 },
      provisioning: `http://${hostInUri(host)}:8889`,
      nodes: ready.nodes,
      pids: [...new Set(ready.nodes.map(({ pid }) => pid))],
      output: () => output,
      addSubscriber: async ({ impi, impus, password, args }) => {
        const result = await tidewater(
          [
            "subscriber",
            "add",
            "--url",
            `http://${hostInUri(host)}:8889`,
            "--impi",
            impi,
            ...impus.flatMap((impu) => ["--impu", impu]),
            "--password-stdin",
            ...(args ?? []),
          ],
          `${password}\n`,
        );
        if (result.exitCode !== 0) throw new Error(`subscriber add ${impi}: ${result.stderr}`);
      },
      tidewater,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An address as it is written in a URI. */
export function hostInUri(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

interface ReadyLine {
  readonly domain: string;
  readonly nodes: readonly { readonly name: string; readonly pid: number }[];
}

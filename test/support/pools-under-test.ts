import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endProgram, PROGRAM, readyLine, runProgram } from "./program.ts";
import type { CoreOfUe } from "./sip-ue.ts";

const READY_WITHIN_MS = 240_000;

export interface PoolProcess {
  readonly name: string;
  readonly pool: string;
  readonly pid: number;
  readonly host: string;
  readonly ports: Readonly<Record<string, unknown>>;
  readonly state: string;
  readonly restarts: number;
}

/** A core of pools on loopback addresses of its own. */
export interface PoolsUnderTest {
  readonly domain: string;
  readonly network: string;
  readonly stateDir: string;
  readonly poolsFile: string;
  /** From the command to ready. */
  readonly seconds: number;
  /** As they were when all was ready. */
  readonly nodes: readonly PoolProcess[];
  /** The core of workers as a UE sees it: one address. */
  access(): CoreOfUe;
  /** The core as a UE sees it that uses bono-<index>. */
  bono(index: number): CoreOfUe;
  /** What is running now. */
  status(): Promise<readonly PoolProcess[]>;
  tidewater(args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** What the nodes wrote so far, logs and all. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts pools; the caller stops them. `place`: where they ran before, whose state stays when they stop. */
export async function launchPools(
  args: readonly string[],
  place?: Pick<PoolsUnderTest, "network" | "stateDir">,
): Promise<PoolsUnderTest> {
  const network = place?.network ?? `127.${randomInt(130, 250)}`;
  const stateDir = place?.stateDir ?? mkdtempSync(join(tmpdir(), "tidewater-pools-"));
  const child = spawn(
    process.execPath,
    [PROGRAM, "up", "--json", "--network", network, "--state-dir", stateDir, ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("latin1").on("data", (text: string) => {
      output = (output + text).slice(-400_000);
    });
  const stop = async (): Promise<number | null> => {
    await endProgram(child, 30_000);
    if (place === undefined) rmSync(stateDir, { recursive: true, force: true });
    return child.exitCode;
  };
  try {
    const ready = await readyLine<ReadyLine>(child, { output: () => output, withinMs: READY_WITHIN_MS });
    const tidewater: PoolsUnderTest["tidewater"] = (given) =>
      runProgram([...given, "--state-dir", stateDir], { timeoutMs: 120_000 });
    return {
      ...ready,
      network,
      stateDir,
      access: () => coreAt(ready.host ?? "", ready.domain),
      bono: (index) => coreAt(`${network}.1.${index}`, ready.domain),
      status: async () => {
        const { stdout, stderr, exitCode } = await tidewater(["status", "--json"]);
        if (exitCode !== 0) throw new Error(`tidewater status: ${stderr}`);
        return (JSON.parse(stdout) as { nodes: PoolProcess[] }).nodes;
      },
      tidewater,
      output: () => output,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function coreAt(host: string, domain: string): CoreOfUe {
  return {
    domain,
    sip: { host, udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 },
  };
}

type ReadyLine = Pick<PoolsUnderTest, "domain" | "poolsFile" | "seconds" | "nodes"> & {
  readonly host?: string;
};

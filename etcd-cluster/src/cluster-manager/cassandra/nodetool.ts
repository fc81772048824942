import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { replaceFile } from "@ims/runtime";
import { EtcdError } from "../../etcd/errors.ts";
import type { CassandraControl, RingStart } from "./cassandra-control.ts";

export interface NodetoolOptions {
  /** Program and first arguments: ["nodetool", "-p", "7199"]. */
  readonly nodetool: readonly string[];
  /** Starts the process; need not wait for it. Started already: nothing to do. */
  readonly launch: (start: RingStart) => Promise<void>;
  /** Ends it after it has left the ring, and removes its data, so that it can come in again. */
  readonly discard: () => Promise<void>;
  /** Beside its data: is there while it belongs to the ring. */
  readonly markFile: string;
  /** Between two looks at a node that starts, ms. Default 1,000. */
  readonly everyMs?: number;
  /** A node that has not answered nodetool for so long has failed to start, ms. Default 120,000. */
  readonly silenceMs?: number;
}

const MAX_OUTPUT = 4 * 1024 * 1024;
/** UN, DN, UJ ... address, load, tokens, share, host ID, rack. */
const STATUS_LINE = /^([UD?])([NLJM])\s+(\S+)\s.*?\s([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s/gm;

/** A Cassandra that is asked by nodetool. */
export function nodetoolControl(options: NodetoolOptions): CassandraControl {
  const { nodetool, launch, discard, markFile, everyMs = 1000, silenceMs = 120_000 } = options;
  const run = (args: readonly string[], signal: AbortSignal): Promise<string> =>
    runProgram([...nodetool, ...args], signal);
  const mode = async (signal: AbortSignal): Promise<string> => {
    const said = await run(["netstats"], signal);
    return /^Mode: (\S+)/m.exec(said)?.[1] ?? "unknown";
  };
  /** Moving data takes as long as it takes, but all the while the node says so. */
  const become = async (wanted: string, signal: AbortSignal): Promise<void> => {
    let heard = performance.now();
    for (;;) {
      try {
        if ((await mode(signal)) === wanted) return;
        heard = performance.now();
      } catch (error) {
        if (signal.aborted || performance.now() - heard > silenceMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  return {
    fresh: () =>
      readFile(markFile).then(
        () => false,
        () => true,
      ),
    async start(start, signal) {
      await launch(start);
      await become("NORMAL", signal);
      await replaceFile(markFile, "in the ring\n");
    },
    async decommission(signal) {
      const now = await mode(signal);
      if (now === "LEAVING") await become("DECOMMISSIONED", signal);
      else if (now !== "DECOMMISSIONED") await run(["decommission"], signal);
      await rm(markFile, { force: true });
      await discard();
    },
    async removeNode(address, signal) {
      const status = await run(["status"], signal);
      const line = [...status.matchAll(STATUS_LINE)].find(([, , , host]) => host === address);
      if (line === undefined) return; // out already
      const [, health, , , hostId = ""] = line;
      if (health === "U") throw fault(address, "is up: a node that lives is not taken out");
      await run(["removenode", hostId], signal);
    },
    async cleanup(signal) {
      await run(["cleanup"], signal);
    },
    async repair(signal) {
      await run(["repair", "--full"], signal);
    },
  };
}

/** Its standard output. Rejects with the end of what it wrote when it fails. */
export function runProgram(command: readonly string[], signal?: AbortSignal): Promise<string> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: MAX_OUTPUT, encoding: "utf8", ...(signal && { signal }) } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const words = `${stderr}${stdout}`.trim().slice(-600);
      reject(fault(`${program} ${args.at(-1) ?? ""}`, words === "" ? error.message : words));
    });
  });
}

function fault(text: string, problem: string): EtcdError {
  return new EtcdError({ code: "ETCD_PROGRAM", text, problem });
}

import { spawn } from "node:child_process";
import { askMember, type Member } from "./member.ts";

export type DrainResult = { readonly kind: "drained" } | { readonly kind: "failed"; readonly reason: string };

/** Takes a member out of service gracefully; resolves when it holds nothing any more. */
export type Drain = (member: Member, signal: AbortSignal) => Promise<DrainResult>;

export interface DrainByCommand {
  /** Program and arguments; {name}, {pool} and {address} stand for those of the member. Run without a shell. */
  readonly command: readonly string[];
  /** Longest a member may take, s. */
  readonly timeoutSeconds: number;
  /** Between two looks at the member, ms. */
  readonly pollMs?: number;
}

const STDERR_MAX = 2000;

/**
 * In a row: a member that is busy or whose packets are lost misses one, and one whose process is started again refuses connections for a
 * moment, so being refused counts no more than being silent.
 */
const MISSES = 3;

/**
 * Drains by a command that makes the member's process get SIGTERM (systemctl stop over SSH, say): nodes then take nothing new,
 * finish what they have, and end. Drained is who has not answered on /health/live three times in a row.
 */
export function drainByCommand({ command, timeoutSeconds, pollMs = 500 }: DrainByCommand): Drain {
  return async (member, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
    const filled = command.map((part) =>
      part
        .replaceAll("{name}", member.name)
        .replaceAll("{pool}", member.pool)
        .replaceAll("{address}", new URL(member.management).hostname),
    );
    const ran = await run(filled, limit);
    if (ran !== undefined) return { kind: "failed", reason: ran };
    for (let misses = 0; ; ) {
      misses = (await askMember(member, "/health/live", 2000)) === undefined ? misses + 1 : 0;
      if (misses === MISSES) return { kind: "drained" };
      // Who has begun to miss when the time is over is looked at to the end.
      if (signal.aborted || (limit.aborted && misses === 0))
        return {
          kind: "failed",
          reason: signal.aborted ? "cancelled" : `still there after ${timeoutSeconds} s`,
        };
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
}

/** What went wrong; undefined: nothing. */
function run([program = "", ...args]: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], signal });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < STDERR_MAX) stderr += text;
    });
    child.on("error", (error) => resolve(`${program}: ${error.message}`));
    child.on("close", (code) =>
      resolve(
        code === 0 ? undefined : `${program} ended with ${code}: ${stderr.trim().slice(0, STDERR_MAX)}`,
      ),
    );
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { endProgram } from "./program.ts";

/** One node by itself, not of a core; resolves when it is ready. Ended with the test. */
export async function startLoneNode(
  t: TestContext,
  name: "bono" | "homestead" | "sprout",
  options: readonly string[],
): Promise<{ readonly pid: number }> {
  const program = join(import.meta.dirname, `../../nodes/${name}/bin/${name}.ts`);
  const node = spawn(
    process.execPath,
    [program, "--log-level", "warn", "--quiesce-seconds", "1", ...options],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  t.after(() => endProgram(node, 10_000));
  await Promise.race([
    once(node, "message"),
    once(node, "exit").then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ]);
  return { pid: node.pid ?? 0 };
}

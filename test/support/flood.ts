import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { endProgram } from "./program.ts";

const FLOOD = join(import.meta.dirname, "http-flood.ts");

/** Asks for one resource over so many connections from an address of its own, until it is stopped; gives what it got by status. */
export function startFlood(
  t: TestContext,
  url: string,
  connections: number,
): () => Promise<Record<string, number>> {
  const args = ["-n", "5", process.execPath, FLOOD, url, String(connections), "127.7.7.7"];
  const child: ChildProcess = spawn("nice", args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout?.on("data", (text) => (said += text));
  t.after(() => endProgram(child, 5_000));
  return async () => {
    await endProgram(child, 5_000);
    return JSON.parse(said) as Record<string, number>;
  };
}

import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../explain.ts";

/**
 * Makes a directory and those above it; an Error says why that cannot be. Level by level: Node's recursive mkdir never
 * returns where a directory exists but takes no new ones (/proc).
 */
export function makeStateDir(path: string): void {
  const missing: string[] = [];
  for (let level = path; !existsSync(level) && dirname(level) !== level; level = dirname(level))
    missing.unshift(level);
  try {
    for (const level of missing) mkdirSync(level, { mode: 0o700 });
    if (!statSync(path).isDirectory()) throw new Error("it is no directory");
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`--state-dir ${path}: ${reasonOf(cause)}`, { cause });
  }
}

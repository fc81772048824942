import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a directory and those above it, for this user only; throws what the file system says where that, or its use, is not possible.
 * Level by level: Node's recursive mkdir never returns where a directory exists but takes no new ones (/proc).
 */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  const path = resolve(folder);
  for (let level = path; !existsSync(level) && dirname(level) !== level; level = dirname(level))
    missing.unshift(level);
  for (const level of missing) mkdirSync(level, { mode: 0o700 });
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
}

import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { RalfError } from "./errors.ts";

/**
 * Makes a directory and those above it. Level by level: Node's recursive mkdir never returns where a directory exists but takes no
 * new ones (/proc). Throws RALF_FOLDER with the option that named it.
 */
export function makeFolder(option: string, folder: string): void {
  const missing: string[] = [];
  const path = resolve(folder);
  for (let level = path; !existsSync(level) && dirname(level) !== level; level = dirname(level))
    missing.unshift(level);
  try {
    for (const level of missing) mkdirSync(level, { mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new RalfError(
      { code: "RALF_FOLDER", option, folder },
      { message: `${option} ${folder}: it cannot be made or written to`, cause },
    );
  }
}

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { reasonOf } from "../explain.ts";

const fileIn = (stateDir: string): string => join(stateDir, "management-token");

/** The management token in `stateDir`, made at the first start: nodes that others can reach are asked with it, by ellis too. Its file. */
export function managementTokenFile(stateDir: string): string {
  const file = fileIn(stateDir);
  try {
    writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw new Error(`${file}: ${reasonOf(cause)}`, { cause });
  }
  return file;
}

/** What a command is told of the nodes that it asks. */
export interface TokenGiven {
  readonly stateDir: string;
  /** `--token-file`. */
  readonly tokenFile?: string | undefined;
  /** It names them by their addresses: they may be anybody's, and get no token but that of `tokenFile`. */
  readonly named: boolean;
}

/** The management token to ask them with: that of the file, or that of their state directory where there is one that we may read. */
export function managementTokenOf({ stateDir, tokenFile, named }: TokenGiven): string | undefined {
  if (tokenFile !== undefined) return readFileSync(tokenFile, "utf8").trim();
  if (named) return undefined;
  try {
    return readFileSync(fileIn(resolve(stateDir)), "utf8").trim();
  } catch {
    return undefined; // the nodes say so where they need one
  }
}

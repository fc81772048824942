import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../explain.ts";

/** The management token in `stateDir`, made at the first start: nodes that others can reach are asked with it, by ellis too. Its file. */
export function managementTokenFile(stateDir: string): string {
  const file = join(stateDir, "management-token");
  try {
    writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw new Error(`${file}: ${reasonOf(cause)}`, { cause });
  }
  return file;
}

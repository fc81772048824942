import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../../explain.ts";

/** Keys that the members of a pool share, hex. */
export interface PoolKeys {
  readonly flowTokenKey: string;
  readonly gruuKey: string;
}

/** The keys in `stateDir`, made at the first start: members that come later, or again, must know the same ones. */
export function poolKeys(stateDir: string): PoolKeys {
  const file = join(stateDir, "pool-keys.json");
  const fresh: PoolKeys = {
    flowTokenKey: randomBytes(32).toString("hex"),
    gruuKey: randomBytes(16).toString("hex"),
  };
  try {
    writeFileSync(file, `${JSON.stringify(fresh)}\n`, { mode: 0o600, flag: "wx" });
    return fresh;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw new Error(`${file}: ${reasonOf(cause)}`, { cause });
  }
  const kept = parsed(readFileSync(file, "utf8"));
  const flowTokenKey = hexOf(kept, "flowTokenKey", 64);
  const gruuKey = hexOf(kept, "gruuKey", 32);
  if (flowTokenKey === undefined || gruuKey === undefined)
    throw new Error(`${file} does not hold the keys of the pools; remove it to have new ones made`);
  return { flowTokenKey, gruuKey };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hexOf(from: unknown, name: keyof PoolKeys, length: number): string | undefined {
  const value =
    typeof from === "object" && from !== null && name in from ? (from as PoolKeys)[name] : undefined;
  return typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value)
    ? value
    : undefined;
}

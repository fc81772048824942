import { InvalidArgumentError } from "commander";

/** What Heat takes as the name of a stack; shorter, since names of what it makes are longer. */
export function checkName(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(text)) return text;
  throw new InvalidArgumentError("a letter, then letters, digits, _ . and -, 100 at most");
}

export interface PoolSize {
  readonly pool: string;
  readonly size: number;
}

/** sprout=11 */
export function poolSizeOf(text: string): PoolSize {
  const [, pool = "", size = ""] = /^([a-z][a-z0-9-]*)=(\d{1,4})$/.exec(text) ?? [];
  if (pool === "") throw new InvalidArgumentError("write <pool>=<size>, as sprout=11");
  return { pool, size: Number(size) };
}

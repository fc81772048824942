import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const schema = z.strictObject({
  version: z.literal(1),
  vnf: z.string(),
  /** ms since the epoch of the last change of each pool. */
  changed: z.record(z.string(), z.number()),
  /** What was begun and is not known to have ended. */
  operation: z
    .strictObject({ pool: z.string(), from: z.number(), to: z.number(), begun: z.number(), tries: z.int() })
    .optional(),
});
export type ScalerState = z.output<typeof schema>;

export type StateReading =
  | { readonly kind: "state"; readonly state: ScalerState }
  | { readonly kind: "bad"; readonly problem: string };

/** The state of a scaler in a file, which is replaced as a whole; a lock beside it keeps a second scaler out. */
export class StateFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(vnf: string): StateReading {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return { kind: "state", state: { version: 1, vnf, changed: {} } };
      return { kind: "bad", problem: `${this.#path} cannot be read: ${code}` };
    }
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success)
      return {
        kind: "bad",
        problem: `${this.#path} is no state of a scaler: look what was going on (tidewater vnf status), then delete it`,
      };
    if (parsed.data.vnf !== vnf)
      return { kind: "bad", problem: `${this.#path} is of ${parsed.data.vnf}, not of ${vnf}` };
    return { kind: "state", state: parsed.data };
  }

  write(state: ScalerState): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.next`;
    writeFileSync(next, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true });
    renameSync(next, this.#path);
  }

  /** A text: who has it. */
  lock(): string | undefined {
    mkdirSync(dirname(this.#path), { recursive: true });
    const path = `${this.#path}.lock`;
    for (let turn = 0; turn < 2; turn++)
      try {
        writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        const pid = Number(readFileSync(path, "utf8"));
        if (pid > 0 && pid !== process.pid && isAlive(pid)) return `process ${pid}`;
        rmSync(path, { force: true });
      }
    return "another process";
  }

  unlock(): void {
    rmSync(`${this.#path}.lock`, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

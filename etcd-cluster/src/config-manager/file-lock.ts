import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { isAlive } from "@ims/runtime";

export type FileLock =
  | { readonly kind: "locked"; release(): Promise<void> }
  /** That process has it. */
  | { readonly kind: "busy"; readonly pid: number };

/** Takes a lock file, at once or not at all; one that its process left when it died is taken over. Rejects with what the file system says. */
export async function fileLock(path: string): Promise<FileLock> {
  for (let tries = 0; ; tries++) {
    try {
      const file = await open(path, "wx", 0o644);
      try {
        await file.writeFile(`${process.pid}\n`);
      } finally {
        await file.close();
      }
      return { kind: "locked", release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const pid = Number((await readFile(path, "utf8").catch(() => "")).trim());
    // Empty: it was made at this moment, or is gone already.
    const left = pid > 0 && !isAlive(pid);
    if (!left && (pid > 0 || tries >= 3)) return { kind: "busy", pid };
    if (left) await takeAway(path, pid);
    if (tries >= 3) return { kind: "busy", pid };
  }
}

/** Only what that process left: another one may have taken it over in between, and gets it back. */
async function takeAway(path: string, pid: number): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await rename(path, aside);
    const text = await readFile(aside, "utf8");
    if (Number(text.trim()) !== pid) await link(aside, path).catch(() => undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

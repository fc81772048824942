import { open, rm } from "node:fs/promises";
import { reasonOf } from "../explain.ts";

/** Writes a file that must not be there yet, for its owner only; on a full disk nothing of it is left. Rejects with a line for people. */
export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(bytes);
  } catch (error) {
    await rm(path, { force: true });
    throw new Error(`${path}: ${reasonOf(error)}; nothing of it was left`, { cause: error });
  } finally {
    await handle.close();
  }
}

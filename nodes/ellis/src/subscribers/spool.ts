import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

/** What was sent to us, in a file without a name: whoever ends us leaves nothing of it behind. */
export interface Spooled {
  readonly kind: "spooled";
  readonly bytes: number;
  /** From the beginning; may be read again. */
  read(): Readable;
  close(): Promise<void>;
}

export type SpoolResult =
  | Spooled
  | { readonly kind: "tooLarge" }
  /** Whoever sent it stopped in the middle. */
  | { readonly kind: "cutOff" };

/** Rows of a piece are read in one go, about a millisecond. */
const PIECE_BYTES = 16_384;

/** Takes at most so many bytes to disk; memory holds a piece at a time. Rejects when the disk does not take it. */
export async function spool(
  from: Readable,
  { folder, maxBytes }: { readonly folder: string; readonly maxBytes: number },
): Promise<SpoolResult> {
  const name = join(folder, `import-${randomUUID()}`);
  const file = await open(name, "wx+", 0o600);
  let kept = false;
  try {
    await unlink(name);
    let bytes = 0;
    const pieces = from.iterator({ destroyOnReturn: false });
    for (;;) {
      const next = await nextOf(pieces);
      if (next === "cutOff") return { kind: "cutOff" };
      if (next === undefined) break;
      bytes += next.length;
      if (bytes > maxBytes) {
        await pieces.return?.();
        return { kind: "tooLarge" };
      }
      await file.appendFile(next);
    }
    kept = true;
    return {
      kind: "spooled",
      bytes,
      read: () => readOf(file),
      close: () => file.close(),
    };
  } finally {
    if (!kept) await file.close();
  }
}

async function nextOf(pieces: AsyncIterator<unknown>): Promise<Buffer | undefined | "cutOff"> {
  try {
    const { value, done } = await pieces.next();
    return done === true ? undefined : Buffer.from(value as Uint8Array);
  } catch {
    return "cutOff";
  }
}

/** The stream of a file handle would close it when it is left early. */
function readOf(file: FileHandle): Readable {
  return Readable.from(piecesOf(file), { objectMode: false });
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(PIECE_BYTES), position });
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

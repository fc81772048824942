import { closeSync, openSync, readSync, statSync } from "node:fs";

/** A folder or a file of a layer. Folders above it need not be told. */
export interface TarEntry {
  /** Without a slash at either end. */
  readonly path: string;
  readonly content: { readonly folder: true } | { readonly bytes: Uint8Array } | { readonly file: string };
  /** Default: 0o755 for folders, 0o644 for files. */
  readonly mode?: number;
  /** Default: root. */
  readonly uid?: number;
  readonly gid?: number;
}

const BLOCK = 512;
const CHUNK = 1024 * 1024;

/** A tar (POSIX ustar) of these entries in order of their paths, all of one time: the same entries give the same bytes. */
export function* tarOf(entries: readonly TarEntry[], epoch: number): Generator<Buffer> {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      if (!byPath.has(path)) byPath.set(path, { path, content: { folder: true } });
    }
    byPath.set(entry.path, entry);
  }
  for (const [, entry] of [...byPath].sort(([one], [other]) => (one < other ? -1 : 1))) {
    yield header(entry, epoch);
    const { content } = entry;
    if ("bytes" in content) yield* padded(content.bytes);
    if ("file" in content) yield* contentOf(content.file);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function* padded(bytes: Uint8Array): Generator<Buffer> {
  yield Buffer.from(bytes);
  const rest = bytes.length % BLOCK;
  if (rest > 0) yield Buffer.alloc(BLOCK - rest);
}

function* contentOf(path: string): Generator<Buffer> {
  const file = openSync(path, "r");
  try {
    let total = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK);
      const read = readSync(file, chunk, 0, CHUNK, null);
      if (read === 0) break;
      total += read;
      yield chunk.subarray(0, read);
    }
    if (total % BLOCK > 0) yield Buffer.alloc(BLOCK - (total % BLOCK));
  } finally {
    closeSync(file);
  }
}

function header({ path, content, mode, uid = 0, gid = 0 }: TarEntry, epoch: number): Buffer {
  const isFolder = "folder" in content;
  const size =
    "bytes" in content ? content.bytes.length : "file" in content ? statSync(content.file).size : 0;
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = split(isFolder ? `${path}/` : path);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  block.write(name, 0, "utf8");
  octal(mode ?? (isFolder ? 0o755 : 0o644), 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(epoch, 136, 12);
  block.write("        ", 148, "latin1");
  block.write(isFolder ? "5" : "0", 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  octal(0, 329, 8);
  octal(0, 337, 8);
  block.write(prefix, 345, "utf8");
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** ustar: 100 octets of name, 155 of what stands before it. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at > 0 && at < path.length - 1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new RangeError(`${path} is too long for a tar`);
}

import { readFileSync, writeFileSync } from "node:fs";

/** A file, a folder or a character device of the first file system of a kernel. */
export type InitEntry = { readonly path: string } & (
  | { readonly file: string; readonly mode?: number }
  | { readonly text: string; readonly mode?: number }
  | { readonly folder: true }
  | { readonly link: string }
  | { readonly device: readonly [major: number, minor: number] }
);

/** Writes these entries as a cpio archive (newc), which the kernel unpacks as its root. Folders above an entry are made. */
export function writeInitramfs(path: string, entries: readonly InitEntry[]): void {
  const all = new Map<string, InitEntry>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (!all.has(folder)) all.set(folder, { path: folder, folder: true });
    }
    all.set(entry.path, entry);
  }
  const chunks: Buffer[] = [];
  let inode = 1;
  for (const entry of all.values()) chunks.push(record(entry, inode++));
  chunks.push(record({ path: "TRAILER!!!", text: "", mode: 0 }, 0));
  writeFileSync(path, Buffer.concat(chunks));
}

function record(entry: InitEntry, inode: number): Buffer {
  const data =
    "file" in entry
      ? readFileSync(entry.file)
      : Buffer.from("text" in entry ? entry.text : "link" in entry ? entry.link : "");
  const [major, minor] = "device" in entry ? entry.device : [0, 0];
  const name = Buffer.from(`${entry.path}\0`);
  const fields = [inode, modeOf(entry), 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((one) => one.toString(16).padStart(8, "0")).join("")}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(data)]);
}

function modeOf(entry: InitEntry): number {
  if ("folder" in entry) return 0o040755;
  if ("link" in entry) return 0o120777;
  if ("device" in entry) return 0o020600;
  return 0o100000 | (entry.mode ?? 0o644);
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

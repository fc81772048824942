import { crc32, inflateRawSync } from "node:zlib";

export interface ZipLimits {
  readonly entries: number;
  /** Bytes of all files together, unpacked. */
  readonly bytes: number;
  /** Unpacked bytes for one packed byte, of files beyond a mebibyte. */
  readonly ratio: number;
}

export const ZIP_LIMITS: ZipLimits = { entries: 5000, bytes: 4 * 1024 ** 3 - 1, ratio: 200 };

export type ZipReading =
  | { readonly kind: "files"; readonly files: Map<string, Uint8Array> }
  | { readonly kind: "bad"; readonly problem: string; readonly remedy: string };

const END_LENGTH = 22;
const COMMENT_MAX = 65_535;
const MEBIBYTE = 1024 ** 2;

class BadZip extends Error {
  readonly remedy: string;
  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

/**
 * Unpacks a ZIP archive into memory. Refused: what is truncated or changed (CRC-32, sizes, local headers that differ from the
 * directory), paths that lead out of the package, names that stand twice, links, encryption, and archives that unpack beyond
 * the limits, before they are unpacked.
 */
export function readZip(bytes: Buffer, limits: ZipLimits = ZIP_LIMITS): ZipReading {
  try {
    return { kind: "files", files: unpack(bytes, limits) };
  } catch (error) {
    if (error instanceof BadZip) return { kind: "bad", problem: error.message, remedy: error.remedy };
    if (error instanceof RangeError)
      return {
        kind: "bad",
        problem: "the archive ends too early",
        remedy: "fetch it again: it is truncated",
      };
    throw error;
  }
}

function unpack(bytes: Buffer, limits: ZipLimits): Map<string, Uint8Array> {
  const end = endOfDirectory(bytes);
  const count = bytes.readUInt16LE(end + 10);
  const size = bytes.readUInt32LE(end + 12);
  const start = bytes.readUInt32LE(end + 16);
  if (count !== bytes.readUInt16LE(end + 8) || start + size > end)
    throw new BadZip(
      "the directory of the archive is not whole",
      "fetch it again: it is truncated, or has several parts",
    );
  if (count === 0xffff || start === 0xffffffff)
    throw new BadZip("ZIP64 archives are not read", "pack it without ZIP64: below 4 GiB and 65,535 files");
  if (count > limits.entries)
    throw new BadZip(`${count} files`, `${limits.entries} are the most that a package may have`);
  const files = new Map<string, Uint8Array>();
  const taken: [number, number][] = [];
  let total = 0;
  let at = start;
  for (let entry = 0; entry < count; entry++) {
    if (bytes.readUInt32LE(at) !== 0x02014b50)
      throw new BadZip("the directory of the archive is damaged", "fetch the package again");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      bytes.readUInt16LE(at + field),
    );
    const name = bytes.toString("utf8", at + 46, at + 46 + (nameLength ?? 0));
    const header: Header = {
      name,
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      unpacked: bytes.readUInt32LE(at + 24),
      mode: bytes.readUInt32LE(at + 38) >>> 16,
      offset: bytes.readUInt32LE(at + 42),
    };
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
    checkName(name);
    if (files.has(name)) throw new BadZip(`${name} stands twice in the archive`, "pack each file once");
    total += header.unpacked;
    if (total > limits.bytes)
      throw new BadZip(
        `unpacks to more than ${limits.bytes} bytes`,
        "this is no package of ours: do not open it",
      );
    if (header.unpacked > MEBIBYTE && header.unpacked > header.packed * limits.ratio)
      throw new BadZip(
        `${name} would unpack to ${header.unpacked} bytes from ${header.packed}`,
        "this is no package of ours: do not open it",
      );
    const [data, from, to] = contentOf(bytes, header);
    if (taken.some(([first, last]) => from < last && first < to))
      throw new BadZip(
        `${name} shares its bytes with another file`,
        "this is no package of ours: do not open it",
      );
    taken.push([from, to]);
    if (!name.endsWith("/")) files.set(name, data);
  }
  return files;
}

interface Header {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly mode: number;
  readonly offset: number;
}

function endOfDirectory(bytes: Buffer): number {
  for (let at = bytes.length - END_LENGTH; at >= Math.max(0, bytes.length - END_LENGTH - COMMENT_MAX); at--)
    if (
      bytes.readUInt32LE(at) === 0x06054b50 &&
      at + END_LENGTH + bytes.readUInt16LE(at + 20) === bytes.length
    )
      return at;
  throw new BadZip(
    "no ZIP archive, or one that ends too early",
    "fetch it again: it is truncated, or something else",
  );
}

function checkName(name: string): void {
  const parts = name.replace(/\/$/, "").split("/");
  const bad =
    name.includes("\\") ||
    name.includes("\0") ||
    /^[A-Za-z]:/.test(name) ||
    name.length > 500 ||
    parts.some((part) => part === "" || part === "." || part === "..");
  if (bad)
    throw new BadZip(
      `the path ${JSON.stringify(name.slice(0, 100))} leads out of the package or nowhere`,
      "this is no package of ours: do not open it",
    );
}

function contentOf(bytes: Buffer, header: Header): [Uint8Array, number, number] {
  const { name, flags, method, crc, packed, unpacked, mode, offset } = header;
  if ((flags & 1) !== 0) throw new BadZip(`${name} is encrypted`, "pack it without encryption");
  if ((mode & 0o170000) === 0o120000) throw new BadZip(`${name} is a link`, "pack the file itself");
  const nameLength = bytes.readUInt16LE(offset + 26);
  const localName = bytes.toString("utf8", offset + 30, offset + 30 + nameLength);
  if (
    bytes.readUInt32LE(offset) !== 0x04034b50 ||
    localName !== name ||
    bytes.readUInt16LE(offset + 8) !== method
  )
    throw new BadZip(
      `${name} has another header than the directory tells`,
      "fetch the package again: it was changed",
    );
  const from = offset + 30 + nameLength + bytes.readUInt16LE(offset + 28);
  const to = from + packed;
  if (to > bytes.length)
    throw new BadZip(`${name} ends too early`, "fetch the package again: it is truncated");
  const data = bytes.subarray(from, to);
  const content = method === 0 ? data : method === 8 ? inflate(name, data, unpacked) : undefined;
  if (content === undefined)
    throw new BadZip(`${name} is packed by method ${method}`, "pack it with deflate");
  if (content.length !== unpacked || crc32(content) !== crc)
    throw new BadZip(`${name} was changed or damaged: its CRC-32 is another one`, "fetch the package again");
  return [content, offset, to];
}

function inflate(name: string, data: Uint8Array, unpacked: number): Uint8Array {
  if (unpacked === 0) return new Uint8Array();
  try {
    return inflateRawSync(data, { maxOutputLength: unpacked });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ERR_BUFFER_TOO_LARGE" ? "unpacks to more than it tells" : "was changed or damaged";
    throw new BadZip(`${name} ${why}`, "fetch the package again, or do not open it");
  }
}

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";

/** A disk image that all VDUs are booted from. */
export interface SoftwareImage {
  /** Name in the image service. */
  readonly name: string;
  readonly file: string;
  /** In the package; else only told of, and found in the image service by its name. */
  readonly packed: boolean;
  readonly diskFormat: "qcow2" | "raw";
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of the disk. */
  readonly virtualSize: number;
  readonly sha256: string;
  readonly sha512: string;
}

export type ImageReading =
  | { readonly kind: "image"; readonly image: SoftwareImage }
  | { readonly kind: "bad"; readonly problem: string };

const QCOW_HEADER = 32;

/** Reads what a descriptor says of an image: format, sizes and checksums (the image service checks SHA-512). */
export async function readImage(path: string, name: string, packed = true): Promise<ImageReading> {
  const bad = (problem: string): ImageReading => ({ kind: "bad", problem: `image ${path}: ${problem}` });
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return bad("is no file");
    if (facts.size === 0) return bad("is empty");
    const header = Buffer.alloc(QCOW_HEADER);
    const handle = await open(path);
    try {
      await handle.read(header, 0, QCOW_HEADER, 0);
    } finally {
      await handle.close();
    }
    const isQcow = header.readUInt32BE(0) === 0x514649fb;
    const sha256 = createHash("sha256");
    const sha512 = createHash("sha512");
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      sha256.update(chunk);
      sha512.update(chunk);
    }
    return {
      kind: "image",
      image: {
        name,
        file: basename(path),
        packed,
        diskFormat: isQcow ? "qcow2" : "raw",
        size: facts.size,
        virtualSize: isQcow ? Number(header.readBigUInt64BE(24)) : facts.size,
        sha256: sha256.digest("hex"),
        sha512: sha512.digest("hex"),
      },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return bad(code === "ENOENT" ? "there is no such file; build it in images/" : `cannot be read: ${code}`);
  }
}

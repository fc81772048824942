import { createDecipheriv, createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import { reasonOf } from "../../explain.ts";
import { BackupError, damaged, fileFault, truncated } from "../errors.ts";
import {
  type Chunk,
  chunkHeadSchema,
  DIGEST_BYTES,
  END_MAGIC,
  type Header,
  headerSchema,
  MAGIC,
  MAX_FRAME,
  MAX_HEADER,
  MAX_MANIFEST,
  type Manifest,
  manifestSchema,
  nonceOf,
  TAG_BYTES,
  TRAILER_BYTES,
  VERSION,
} from "./format.ts";
import { archiveKeyOf, type KeySource } from "./key.ts";

const READ_BYTES = 1024 * 1024;

interface End {
  readonly manifest: Manifest;
  /** As it was written. */
  readonly text: Buffer;
  readonly digest: Buffer;
  /** Where the manifest begins. */
  readonly at: number;
  readonly bytes: number;
}

/** A backup that is open for reading. Its start and its end have been looked at, what is between has not. */
export class ArchiveReader {
  readonly path: string;
  readonly bytes: number;
  readonly header: Header;
  readonly manifest: Manifest;
  /** Names this backup: its digest. */
  readonly id: string;
  readonly #file: FileHandle;
  readonly #digest: Buffer;
  readonly #start: Buffer;
  readonly #framesEnd: number;
  readonly #manifestText: Buffer;

  private constructor(
    path: string,
    file: FileHandle,
    start: { readonly bytes: Buffer; readonly header: Header },
    end: End,
  ) {
    this.path = path;
    this.#file = file;
    this.#start = start.bytes;
    this.header = start.header;
    this.manifest = end.manifest;
    this.#digest = end.digest;
    this.id = end.digest.toString("hex").slice(0, 16);
    this.#framesEnd = end.at;
    this.#manifestText = end.text;
    this.bytes = end.bytes;
  }

  /** @throws BackupError for a file that cannot be read, is none of ours, of a newer release, or not whole. */
  static async open(path: string): Promise<ArchiveReader> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (cause) {
      throw fileFault(path, reasonOf(cause), cause);
    }
    try {
      const status = await file.stat();
      if (!status.isFile()) throw fileFault(path, "is no file");
      const start = await readStart(path, file);
      const end = await readEnd(path, file, status.size);
      return new ArchiveReader(path, file, start, end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Whether every byte is as it was written; needs no key. @throws BackupError BACKUP_DAMAGED */
  async checkDigest(progress: (bytes: number) => void = () => undefined): Promise<void> {
    const hash = createHash("sha256");
    const end = this.bytes - TRAILER_BYTES;
    for (let at = 0; at < end; ) {
      const piece = await readAt(this.path, this.#file, at, Math.min(READ_BYTES, end - at));
      hash.update(piece);
      at += piece.length;
      progress(at);
    }
    if (!hash.digest().equals(this.#digest)) throw damaged(this.path, "it does not have its digest");
  }

  /** @throws BackupError BACKUP_KEY */
  unlock(source: KeySource): Promise<Buffer> {
    return archiveKeyOf(source, this.header, this.path);
  }

  /**
   * The chunks, each proven to be what was written, where it was written; the last is the manifest.
   * @throws BackupError BACKUP_DAMAGED
   */
  async *chunks(key: Buffer): AsyncGenerator<Chunk, void, undefined> {
    const aad = createHash("sha256").update(this.#start).digest();
    let at = this.#start.length;
    for (let index = 0; ; index++) {
      const place = `byte ${at}`;
      const length = (await readAt(this.path, this.#file, at, 4)).readUInt32BE();
      if (length <= TAG_BYTES || length > MAX_FRAME + 1024 || at + 4 + length > this.#framesEnd - 4)
        throw damaged(this.path, place);
      const sealed = await readAt(this.path, this.#file, at + 4, length);
      at += 4 + length;
      const last = at === this.#framesEnd - 4;
      const chunk = this.#open(sealed, key, aad, { index, last, place });
      if (last && chunk.head.kind !== "manifest") throw damaged(this.path, place);
      if (last && !chunk.payload.equals(this.#manifestText))
        throw damaged(this.path, "its list of contents was altered");
      if (last && (await readAt(this.path, this.#file, at, 4)).readUInt32BE() !== 0)
        throw damaged(this.path, `byte ${at}`);
      yield chunk;
      if (last) return;
    }
  }

  #open(
    sealed: Buffer,
    key: Buffer,
    aad: Buffer,
    { index, last, place }: { readonly index: number; readonly last: boolean; readonly place: string },
  ): Chunk {
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(index, last), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(aad)
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      const packed = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
      const plain = inflateRawSync(packed, { maxOutputLength: MAX_FRAME });
      const end = plain.indexOf(0x0a);
      const head = chunkHeadSchema.parse(JSON.parse(plain.toString("utf8", 0, end)));
      return { head, payload: plain.subarray(end + 1) };
    } catch (cause) {
      throw damaged(this.path, place, cause);
    }
  }
}

async function readStart(path: string, file: FileHandle): Promise<{ bytes: Buffer; header: Header }> {
  const buffer = Buffer.alloc(MAX_HEADER);
  const { bytesRead } = await file.read(buffer, 0, MAX_HEADER, 0);
  const text = buffer.toString("latin1", 0, bytesRead);
  const version = Number(MAGIC.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(version)) {
    if (bytesRead > 0 && "TIDEWATER-BACKUP ".startsWith(text.slice(0, 17))) throw truncated(path);
    throw new BackupError(
      { code: "BACKUP_FOREIGN", file: path },
      { message: `${path} is no backup of tidewater (those of etcd are restored with etcd-admin restore)` },
    );
  }
  if (version > VERSION)
    throw new BackupError(
      { code: "BACKUP_NEWER", file: path, version },
      {
        message: `${path} was written by a newer release (format ${version}, this program knows ${VERSION}): use that one`,
      },
    );
  const first = text.indexOf("\n") + 1;
  const end = text.indexOf("\n", first) + 1;
  if (end === 0) throw bytesRead < MAX_HEADER ? truncated(path) : damaged(path, "its header");
  try {
    const header = headerSchema.parse(JSON.parse(buffer.toString("utf8", first, end)));
    return { bytes: Buffer.from(buffer.subarray(0, end)), header };
  } catch (cause) {
    throw damaged(path, "its header", cause);
  }
}

async function readEnd(path: string, file: FileHandle, size: number): Promise<End> {
  if (size < TRAILER_BYTES) throw truncated(path);
  const trailer = await readAt(path, file, size - TRAILER_BYTES, TRAILER_BYTES);
  if (trailer.toString("latin1", DIGEST_BYTES + 4) !== END_MAGIC) throw truncated(path);
  const length = trailer.readUInt32BE(DIGEST_BYTES);
  const at = size - TRAILER_BYTES - length;
  if (length > MAX_MANIFEST || at <= 0) throw damaged(path, "its list of contents");
  const text = await readAt(path, file, at, length);
  try {
    const manifest = manifestSchema.parse(JSON.parse(text.toString("utf8")));
    return { manifest, text, digest: Buffer.from(trailer.subarray(0, DIGEST_BYTES)), at, bytes: size };
  } catch (cause) {
    throw damaged(path, "its list of contents", cause);
  }
}

async function readAt(path: string, file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(buffer, done, length - done, at + done));
    } catch (cause) {
      throw fileFault(path, reasonOf(cause), cause);
    }
    if (bytesRead === 0) throw truncated(path);
    done += bytesRead;
  }
  return buffer;
}

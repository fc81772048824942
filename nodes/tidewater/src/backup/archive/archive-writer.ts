import { createCipheriv, createHash, type Hash, randomBytes } from "node:crypto";
import { type FileHandle, link, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { reasonOf } from "../../explain.ts";
import { fileFault } from "../errors.ts";
import {
  type ChunkHead,
  END_MAGIC,
  type Header,
  MAX_FRAME,
  type Manifest,
  nonceOf,
  TAG_BYTES,
  VERSION,
} from "./format.ts";
import type { ArchiveKey } from "./key.ts";

/** Speed matters more than size: most of what is archived is encrypted already or short. */
const DEFLATE_LEVEL = 1;

/** Writes a backup beside its place; it gets its name when it is whole and on disk. */
export class ArchiveWriter {
  readonly path: string;
  readonly #beside: string;
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #hash: Hash = createHash("sha256");
  readonly #aad: Buffer;
  #frames = 0;
  #bytes = 0;

  private constructor(path: string, beside: string, file: FileHandle, key: Buffer, start: Buffer) {
    this.path = path;
    this.#beside = beside;
    this.#file = file;
    this.#key = key;
    this.#aad = createHash("sha256").update(start).digest();
  }

  /** Readable by its owner only. @throws BackupError BACKUP_FILE */
  static async create(
    path: string,
    about: { readonly taken: string; readonly program: string },
    { key, derivation, check }: ArchiveKey,
  ): Promise<ArchiveWriter> {
    const beside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
    let file: FileHandle;
    try {
      file = await open(beside, "wx", 0o600);
    } catch (cause) {
      throw fileFault(path, reasonOf(cause), cause);
    }
    const header: Header = { ...about, key: derivation, keyCheck: check };
    const start = Buffer.from(`TIDEWATER-BACKUP ${VERSION}\n${JSON.stringify(header)}\n`);
    const writer = new ArchiveWriter(path, beside, file, key, start);
    await writer.#write(start);
    return writer;
  }

  /** On disk so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws BackupError BACKUP_FILE, on a full disk for one; then call abandon. */
  async add(head: ChunkHead, payload: Uint8Array = new Uint8Array()): Promise<void> {
    await this.#frame(head, payload, false);
  }

  /** The name must be free. @throws BackupError BACKUP_FILE */
  async finish(manifest: Manifest): Promise<void> {
    const text = Buffer.from(JSON.stringify(manifest));
    await this.#frame({ kind: "manifest" }, text, true);
    await this.#write(Buffer.alloc(4));
    await this.#write(text);
    const digest = this.#hash.copy().digest();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    await this.#write(Buffer.concat([digest, length, Buffer.from(END_MAGIC)]));
    try {
      await this.#file.sync();
      await this.#file.close();
      // Not renamed: that would replace a backup that is there.
      await link(this.#beside, this.path);
      await rm(this.#beside);
      const folder = await open(dirname(this.path), "r");
      await folder.sync().finally(() => folder.close());
    } catch (cause) {
      throw fileFault(this.path, reasonOf(cause), cause);
    }
  }

  /** Nothing is left of it. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#beside, { force: true });
  }

  async #frame(head: ChunkHead, payload: Uint8Array, last: boolean): Promise<void> {
    const plain = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), payload]);
    if (plain.length > MAX_FRAME) throw fileFault(this.path, `a row of ${plain.length} octets is too large`);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(this.#frames, last), {
      authTagLength: TAG_BYTES,
    }).setAAD(this.#aad);
    const packed = deflateRawSync(plain, { level: DEFLATE_LEVEL });
    const length = Buffer.alloc(4);
    const sealed = Buffer.concat([cipher.update(packed), cipher.final()]);
    length.writeUInt32BE(sealed.length + TAG_BYTES);
    this.#frames++;
    await this.#write(Buffer.concat([length, sealed, cipher.getAuthTag()]));
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; )
        at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
    } catch (cause) {
      throw fileFault(this.path, reasonOf(cause), cause);
    }
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
}

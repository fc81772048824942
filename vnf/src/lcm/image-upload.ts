import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Glance, Image } from "../openstack/glance.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";

export interface ImageUpload {
  readonly file: string;
  readonly name: string;
  readonly minDiskGiB: number;
  readonly minRamMiB: number;
  /** Expected SHA-512; default: whatever the file has. */
  readonly sha512?: string;
}

export interface ImageFile {
  readonly size: number;
  readonly sha512: string;
  readonly format: "qcow2" | "raw";
}

export type ImageReading =
  | { readonly kind: "image"; readonly image: ImageFile }
  | { readonly kind: "bad"; readonly problem: string };

/** Marks what this program has begun, so that a half-done record can be told from someone else's image. */
const MARK = "tidewater_sha512" satisfies keyof Image;

/**
 * s that Nova waits for a guest that is asked to shut down, 60 without it: longer than the longest TimeoutStopSec of the image (330 of
 * tidewater-cluster, in which a vellum hands over its records).
 */
export const SHUTDOWN_SECONDS = 360;

/** Format by its first bytes, size and digest of an image file. */
export async function readImage(file: string, signal?: AbortSignal): Promise<ImageReading> {
  try {
    const info = await stat(file);
    if (!info.isFile()) return { kind: "bad", problem: `${file} is no file` };
    if (info.size < 512) return { kind: "bad", problem: `${file} has ${info.size} bytes: that is no image` };
    const handle = await open(file);
    const magic = Buffer.alloc(8);
    try {
      await handle.read(magic, 0, 8, 0);
    } finally {
      await handle.close();
    }
    const format = magic.toString("latin1", 0, 4) === "QFI\u00fb" ? "qcow2" : "raw";
    const hash = createHash("sha512");
    await pipeline(createReadStream(file), hash, signal === undefined ? {} : { signal });
    return { kind: "image", image: { size: info.size, sha512: hash.digest("hex"), format } };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    return {
      kind: "bad",
      problem: `${file}: ${code === "ENOENT" ? "there is no such file" : (code ?? message)}`,
    };
  }
}

/** Uploads an image unless it is there; a half-done record of an earlier run is replaced, and none is left behind. */
export async function uploadImage(glance: Glance, upload: ImageUpload, run: Run): Promise<Outcome> {
  const { file, name, minDiskGiB, minRamMiB } = upload;
  run.progress(`reading ${file}`);
  const reading = await readImage(file, run.signal);
  if (reading.kind === "bad") return failed(reading.problem);
  const { size, sha512, format } = reading.image;
  if (upload.sha512 !== undefined && upload.sha512.toLowerCase() !== sha512)
    return failed(
      `${file} is not the file it should be: its SHA-512 begins ${sha512.slice(0, 16)}, not ${upload.sha512.slice(0, 16)}`,
      [],
      ["get the file anew"],
    );
  const there = await glance.named(name, run.signal);
  const same = there.find(
    (image) => image.status === "active" && image.os_hash_algo === "sha512" && image.os_hash_value === sha512,
  );
  if (same !== undefined) return done(`${name} is there already (${same.id}), with the same content`, false);
  for (const image of there) {
    if (image.status === "active")
      return failed(
        `there is an image ${name} (${image.id}) with other content`,
        [],
        [`give this one another name: --name ${name}-${sha512.slice(0, 8)}`],
      );
    if (image.status !== "queued") {
      return failed(
        `image ${name} (${image.id}) is ${image.status}: another upload is not done with it`,
        [],
        ["wait for it, or openstack image delete"],
      );
    }
    const foreign = await foreignIn(glance, image, run.signal);
    if (foreign !== undefined)
      return failed(
        `an image ${name} (${image.id}) is begun and not uploaded, and ${foreign}`,
        [],
        [
          `give this one another name: --name ${name}-${sha512.slice(0, 8)}`,
          `or, when nobody needs it: openstack image delete ${image.id}`,
        ],
      );
    run.progress(`removing ${image.id}, which an earlier upload has begun`);
    await glance.delete(image.id, run.signal);
  }
  const { id } = await glance.create(
    {
      ...{ name, minDiskGiB, minRamMiB },
      diskFormat: format,
      properties: { [MARK]: sha512, os_shutdown_timeout: String(SHUTDOWN_SECONDS) },
    },
    run.signal,
  );
  try {
    await glance.upload(id, counted(file, size, run), size, run.timeoutMs, run.signal);
    const made = await glance.image(id, run.signal);
    if (made?.status !== "active") throw new Error(`it is ${made?.status ?? "gone"} after the upload`);
    if (made.os_hash_algo === "sha512" && made.os_hash_value !== sha512)
      throw new Error("what arrived is not what was sent");
    return done(`${name} is uploaded (${id}), ${format}, ${size} bytes`);
  } catch (error) {
    const reason = run.signal?.aborted === true ? "interrupted" : error instanceof Error ? error.message : "";
    try {
      // Not with the run's signal: what was begun is cleared away also by who is interrupted.
      await glance.delete(id);
      return failed(`upload of ${name}: ${reason}`, [], ["the same command again; nothing is left behind"]);
    } catch {
      return failed(
        `upload of ${name}: ${reason}`,
        [`image ${id}, not usable`],
        ["the same command again removes it and uploads anew"],
      );
    }
  }
}

/** Why a half-done record is not ours to remove: it is seen by name, and may be shared or an administrator may see all. */
async function foreignIn(glance: Glance, image: Image, signal?: AbortSignal): Promise<string | undefined> {
  if (typeof image[MARK] !== "string") return `has no ${MARK}: this program has not begun it`;
  if (typeof image.owner !== "string") return undefined;
  return image.owner === (await glance.project(signal)) ? undefined : `belongs to project ${image.owner}`;
}

function counted(file: string, size: number, run: Run): Transform {
  let sent = 0;
  let told = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      sent += chunk.length;
      const percent = Math.floor((100 * sent) / size);
      if (run.amount !== undefined) run.amount("uploaded, bytes", sent, size);
      else if (percent >= told + 10) {
        told = percent - (percent % 10);
        run.progress(`${told} % of ${size} bytes`);
      }
      next(null, chunk);
    },
  });
  const source = createReadStream(file);
  source.on("error", (error) => count.destroy(error));
  count.on("close", () => source.destroy());
  return source.pipe(count);
}

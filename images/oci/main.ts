import { mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  compareFiles,
  epochOf,
  megabytes,
  removeAbandoned,
  replaceFolder,
  versionOf,
} from "../build/output.ts";
import { requireSpace } from "../build/space.ts";
import { BuildError, type RunOptions, requireTools } from "../build/tools.ts";
import { packagesIn } from "./base-packages.ts";
import { makeBaseTree } from "./base-tree.ts";
import { writeContainers } from "./containers.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NEEDED_GB = 2;

const USAGE = `Builds container images, one for each node, as one OCI image layout. No daemon, no registry.
  npm run image:oci -- [options]

  --output DIR   where to put it (default: dist/oci); what is there is replaced when the build has succeeded
  --twice        build again and compare every byte
  --help
`;

/** Exit codes: 0 built, 1 not built, 2 wrong options. Nothing half-made stays behind. */
export async function main(argv: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`oci: ${line}\n`);
  const fail = (line: string): void => void process.stderr.write(`oci: ${line}\n`);
  const options = parse(argv);
  if (typeof options === "string") {
    fail(`${options} (--help)`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const stop = new AbortController();
  const interrupted = (signal: NodeJS.Signals): void =>
    stop.abort(new BuildError(`interrupted by ${signal}; nothing was kept, nothing was replaced`));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const output = resolve(options.output);
  const work = `${output}.building-${process.pid}`;
  try {
    requireTools(["mmdebstrap", "tar"]);
    mkdirSync(dirname(output), { recursive: true });
    removeAbandoned(output, say);
    requireSpace(dirname(output), NEEDED_GB);
    const [version, epoch] = [versionOf(ROOT), epochOf(process.env, ROOT)];
    say(`version ${version}, time ${new Date(epoch * 1000).toISOString()}`);
    const build = async (name: string): Promise<string> => {
      const at = join(work, name);
      mkdirSync(at, { recursive: true });
      const how: RunOptions = { log: join(at, "log"), signal: stop.signal, epoch, temporary: at };
      const base = await makeBaseTree(at, how);
      const debian = await packagesIn(base, at, how);
      const folder = join(at, "out");
      for (const { name: role, digest, bytes } of await writeContainers(
        { root: ROOT, version, epoch, base, debian },
        folder,
        at,
      ))
        say(`${role}: ${digest}, ${megabytes(bytes)}`);
      return folder;
    };
    const folder = await build("1");
    if (options.twice) {
      say("once more, to compare");
      await compareFiles(folder, await build("2"), say);
    }
    replaceFolder(output, folder);
    say(`${output}: skopeo copy oci:${output}:bono docker://REGISTRY/tidewater/bono:${version}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    fail(error.message);
    return 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function parse(argv: readonly string[]): { output: string; twice: boolean; help: boolean } | string {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: { output: { type: "string", default: join(ROOT, "dist/oci") }, twice: flag, help: flag },
    }).values;
  } catch (error) {
    return (error as Error).message;
  }
}

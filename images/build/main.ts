import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readPackageList } from "./debian.ts";
import { buildImage, type ImageRequest } from "./image.ts";
import { compareFiles, epochOf, megabytes, removeAbandoned, replaceFolder, versionOf } from "./output.ts";
import { requireSpace } from "./space.ts";
import { BuildError, requireTools } from "./tools.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const USAGE = `Builds the image of all roles.
  npm run image:build -- [options]

  --output DIR      where to put it (default: dist/image); what is there is replaced when the build has succeeded
  --format LIST     qcow2, raw or both, separated by a comma (default: qcow2)
  --packages FILE   exactly these Debian packages, name=version a line: the .packages file of an earlier build
  --cassandra       with Java and the jars that 'sh scripts/install-cassandra' has fetched, for vellum
  --twice           build again and compare every byte
  --keep            leave the working directory where it is
  --help
`;

/** Gigabytes that a build takes at its widest. */
const NEEDED_GB = { plain: 3, cassandra: 4 };

/** Exit codes: 0 built, 1 not built, 2 wrong options. Nothing half-made stays behind. */
export async function main(argv: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`image: ${line}\n`);
  const fail = (line: string): void => void process.stderr.write(`image: ${line}\n`);
  const options = parse(argv);
  if (options.kind === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.kind === "invalid") {
    fail(`${options.problem} (--help)`);
    return 2;
  }

  const stop = new AbortController();
  const interrupted = (signal: NodeJS.Signals): void =>
    stop.abort(new BuildError(`interrupted by ${signal}; nothing was kept, nothing was replaced`));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const { output, twice, keep } = options;
  const work = `${output}.building-${process.pid}`;
  try {
    requireTools();
    mkdirSync(dirname(output), { recursive: true });
    removeAbandoned(output, say);
    requireSpace(dirname(output), options.cassandra ? NEEDED_GB.cassandra : NEEDED_GB.plain);
    const request: ImageRequest = {
      root: ROOT,
      version: versionOf(ROOT),
      epoch: epochOf(process.env, ROOT),
      formats: options.formats,
      cassandra: options.cassandra,
      pinned: options.packages === undefined ? [] : readPackageList(options.packages),
    };
    say(`version ${request.version}, time ${new Date(request.epoch * 1000).toISOString()}`);
    const built = await buildImage(request, { work: join(work, "1"), say, signal: stop.signal });
    if (twice) {
      say("once more, to compare");
      const again = await buildImage(request, { work: join(work, "2"), say, signal: stop.signal });
      await compareFiles(built.folder, again.folder, say);
    }
    replaceFolder(output, built.folder);
    for (const { name, bytes } of built.files) say(`${join(output, name)}  ${megabytes(bytes)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    fail(error.message);
    return 1;
  } finally {
    if (keep && existsSync(work)) say(`kept: ${work}`);
    else rmSync(work, { recursive: true, force: true });
  }
}

type Options =
  | { readonly kind: "help" }
  | { readonly kind: "invalid"; readonly problem: string }
  | {
      readonly kind: "build";
      readonly output: string;
      readonly formats: readonly ("qcow2" | "raw")[];
      readonly packages: string | undefined;
      readonly cassandra: boolean;
      readonly twice: boolean;
      readonly keep: boolean;
    };

function parse(argv: readonly string[]): Options {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        output: { type: "string", default: join(ROOT, "dist/image") },
        format: { type: "string", default: "qcow2" },
        packages: { type: "string" },
        cassandra: flag,
        twice: flag,
        keep: flag,
        help: flag,
      },
    });
    if (values.help) return { kind: "help" };
    const formats = values.format.split(",");
    const known = formats.filter((one): one is "qcow2" | "raw" => one === "qcow2" || one === "raw");
    if (known.length !== formats.length)
      return { kind: "invalid", problem: `--format: '${values.format}' is not qcow2 or raw` };
    const { packages, cassandra, twice, keep } = values;
    return {
      kind: "build",
      output: resolve(values.output),
      formats: known,
      packages,
      cassandra,
      twice,
      keep,
    };
  } catch (error) {
    return { kind: "invalid", problem: (error as Error).message };
  }
}

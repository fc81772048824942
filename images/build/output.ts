import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { BuildError } from "./tools.ts";

/** Of package.json. */
export function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}

/** SOURCE_DATE_EPOCH, or the time of the last commit. @throws BuildError */
export function epochOf(env: Readonly<Record<string, string | undefined>>, root: string): number {
  const given = env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) {
    if (!/^[0-9]{9,10}$/.test(given))
      throw new BuildError(`SOURCE_DATE_EPOCH is '${given}', not seconds since 1970`);
    return Number(given);
  }
  try {
    return Number(
      execFileSync("git", ["log", "-1", "--format=%ct"], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
  } catch {
    throw new BuildError(
      "this is not a git work tree: set SOURCE_DATE_EPOCH to the time of the release, in seconds since 1970",
    );
  }
}

/** What a build that was killed has left: its name has the number of its process. */
export function removeAbandoned(output: string, say: (line: string) => void): void {
  const prefix = `${basename(output)}.building-`;
  for (const name of readdirSync(dirname(output))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
    if (!Number.isSafeInteger(pid) || isRunning(pid)) continue;
    say(`removing ${name}, left by a build that was killed`);
    rmSync(join(dirname(output), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  return pid !== process.pid && existsSync(`/proc/${pid}`);
}

/** Every file of two folders. @throws BuildError that names the first that differs */
export async function compareFiles(one: string, other: string, say: (line: string) => void): Promise<void> {
  const filesIn = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();
  const [files, others] = [filesIn(one), filesIn(other)];
  for (const name of new Set([...files, ...others])) {
    if (!files.includes(name) || !others.includes(name))
      throw new BuildError(`two builds differ: only one of them has ${name}`);
    const [a, b] = await Promise.all([digestOf(join(one, name)), digestOf(join(other, name))]);
    if (a !== b) throw new BuildError(`two builds differ in ${name}: ${a} and ${b}`);
    say(`identical: ${name} sha256 ${a}`);
  }
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The new folder takes the place of the old one whole. @throws BuildError */
export function replaceFolder(output: string, folder: string): void {
  const old = `${folder}.old`;
  if (existsSync(output)) {
    if (!statSync(output).isDirectory()) throw new BuildError(`--output: ${output} is a file`);
    renameSync(output, old);
  }
  renameSync(folder, output);
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What stops a build: in the operator's words, with a remedy. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** Programs that a build runs, and the Debian package of each. */
const TOOLS: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  tar: "tar",
  mke2fs: "e2fsprogs",
  debugfs: "e2fsprogs",
  e2fsck: "e2fsprogs",
  sfdisk: "fdisk",
  mformat: "mtools",
  mcopy: "mtools",
  "grub-mkimage": "grub-common",
  "qemu-img": "qemu-utils",
  ...(process.getuid?.() === 0 ? {} : { fakeroot: "fakeroot" }),
};
const FILES: Readonly<Record<string, string>> = {
  "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
  "/usr/lib/grub/x86_64-efi/modinfo.sh": "grub-efi-amd64-bin",
};

const PLACES = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];

/** Default: all that the disk image takes. @throws BuildError that names every missing one and how to get it. */
export function requireTools(some?: readonly string[]): void {
  const missing = new Set<string>();
  for (const [tool, owner] of Object.entries(TOOLS))
    if (some?.includes(tool) !== false && !PLACES.some((place) => existsSync(join(place, tool))))
      missing.add(owner);
  for (const [file, owner] of Object.entries(FILES))
    if (some === undefined && !existsSync(file)) missing.add(owner);
  if (missing.size === 0) return;
  throw new BuildError(
    `these Debian packages are missing: ${[...missing].join(" ")}. 'sh scripts/install-test-tools --images' installs them.`,
  );
}

export interface RunOptions {
  /** Where its output goes; the end of it is quoted when it fails. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly epoch: number;
  /** For temporary files of the program. */
  readonly temporary: string;
  readonly input?: string;
}

/** Runs a program with a fixed time, zone and language. Ends it and all it started when the signal says so. @throws BuildError */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { log, signal, epoch, temporary, input } = options;
  signal.throwIfAborted();
  const from = existsSync(log) ? readFileSync(log).length : 0;
  const output = openSync(log, "a");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      // A group of its own: everything it starts ends with it.
      detached: true,
      stdio: [input === undefined ? "ignore" : "pipe", output, output],
      env: {
        PATH: PLACES.join(delimiter),
        TMPDIR: temporary,
        ...(process.env["HOME"] === undefined ? {} : { HOME: process.env["HOME"] }),
        LC_ALL: "C.UTF-8",
        TZ: "UTC",
        SOURCE_DATE_EPOCH: String(epoch),
        E2FSPROGS_FAKE_TIME: String(epoch),
        MTOOLS_SKIP_CHECK: "1",
      },
    });
    closeSync(output);
    const end = (): void => endGroup(child);
    signal.addEventListener("abort", end, { once: true });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    child.once("error", (error) => reject(new BuildError(`${command} cannot be run: ${error.message}`)));
    child.once("close", (code, killed) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) return reject(signal.reason as Error);
      if (code === 0) return resolve();
      const said = readFileSync(log).subarray(from).toString().trimEnd().split("\n").slice(-15).join("\n");
      reject(new BuildError(`${command} ended with ${code ?? killed}:\n${said}`));
    });
  });
}

/** As `run`, by one who sees and makes files as root's: directly, or under fakeroot, which remembers owners in a file. */
export function runAsOwner(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  if (process.getuid?.() === 0) return run(command, args, options);
  const state = `${options.temporary}/fakeroot`;
  const known = existsSync(state) ? ["-i", state] : [];
  return run("fakeroot", [...known, "-s", state, "--", command, ...args], options);
}

/** SIGTERM to a program and what it started: mmdebstrap then removes its own directory; SIGKILL 20 s later. */
function endGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // Gone already.
    }
  };
  send("SIGTERM");
  const hard = setTimeout(() => send("SIGKILL"), 20_000);
  child.once("close", () => clearTimeout(hard));
}

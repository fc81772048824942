import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What tools of others say of an image, as far as we ask. */
export interface OciConfig {
  readonly os: string;
  readonly architecture: string;
  readonly created: string;
  readonly config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Env: readonly string[];
    readonly WorkingDir: string;
    readonly ExposedPorts: Readonly<Record<string, unknown>>;
    readonly Volumes: Readonly<Record<string, unknown>>;
  };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/** False when skopeo and umoci are here, else why not. */
export const noOciTools: string | false = ["skopeo", "umoci"].every(
  (tool) => spawnSync(tool, ["--version"]).error === undefined,
)
  ? false
  : "skopeo or umoci is not installed (scripts/install-test-tools)";

function say(command: string, args: readonly string[]): string {
  const ended = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (ended.status !== 0)
    throw new Error(`${command} ${args.join(" ")}: ${ended.stderr}${ended.error ?? ""}`);
  return ended.stdout;
}

/** Configuration of an image as skopeo reads it. */
export function configOf(layout: string, name: string): OciConfig {
  return JSON.parse(say("skopeo", ["inspect", "--config", `oci:${layout}:${name}`])) as OciConfig;
}

/** Copies an image to another layout: skopeo reads and checks every blob. The digest of its manifest. */
export function copyImage(layout: string, name: string, to: string): string {
  say("skopeo", ["--insecure-policy", "copy", "--quiet", `oci:${layout}:${name}`, `oci:${to}:${name}`]);
  return digestOf(to, name);
}

export function digestOf(layout: string, name: string): string {
  return (JSON.parse(say("skopeo", ["inspect", `oci:${layout}:${name}`])) as { Digest: string }).Digest;
}

export interface Unpacked {
  readonly root: string;
  remove(): void;
}

/** The root file system of an image as umoci unpacks it. */
export function unpackImage(layout: string, name: string): Unpacked {
  const folder = mkdtempSync(join(tmpdir(), "oci-"));
  const rootless = process.getuid?.() === 0 ? [] : ["--rootless"];
  say("umoci", ["unpack", ...rootless, "--image", `${layout}:${name}`, join(folder, "bundle")]);
  return {
    root: join(folder, "bundle/rootfs"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface Container {
  readonly pid: number;
  /** Of the line "ready". */
  readonly ports: Readonly<Record<string, number>>;
  stop(): Promise<number | null>;
}

/** Runs what an image runs: in its root file system and process namespace, as its user, with its environment and nothing else. */
export function runImage(root: string, { config }: OciConfig, args: readonly string[]): Promise<Container> {
  const [uid = "", gid = ""] = config.User.split(":");
  const child = spawn(
    "unshare",
    [
      ...["--mount", "--pid", "--fork", "--kill-child"],
      ...["--root", root, "--wd", config.WorkingDir, "--setgid", gid, "--setuid", uid, "--"],
      ...config.Entrypoint,
      ...args,
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: Object.fromEntries(config.Env.map((one) => one.split("=", 2) as [string, string])),
    },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`${config.Entrypoint.at(-1)} ended with ${code}: ${said}`)),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      said += `${line}\n`;
      const { msg, ports } = JSON.parse(line) as { msg: string; ports?: Record<string, number> };
      if (msg !== "ready" || ports === undefined) return;
      // The first process of the namespace, under its number out here: unshare itself hands on no signal.
      const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
      const stop = (): Promise<number | null> => {
        if (child.exitCode === null) process.kill(pid, "SIGTERM");
        return exit;
      };
      resolve({ pid, ports, stop });
    });
  });
}

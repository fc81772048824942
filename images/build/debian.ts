import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { BuildError } from "./tools.ts";

/** What the image is made of, beside what these need. No recommended packages. */
export const PACKAGES = [
  "systemd-sysv",
  "systemd-resolved",
  "systemd-timesyncd",
  "dbus",
  "linux-image-cloud-amd64",
  "initramfs-tools",
  "zstd",
  "e2fsprogs",
  "cloud-init",
  "openssh-server",
  "sudo",
  "iproute2",
  "netbase",
  "ca-certificates",
  "openssl",
  "libstdc++6",
  "memcached",
  "etcd-server",
  "etcd-client",
  "coturn",
] as const;

/** Files that no member of ours uses. Copyright files stay. */
export const EXCLUDED = [
  "/usr/share/man/*",
  "/usr/share/info/*",
  "/usr/share/locale/*",
  "/usr/share/i18n/*",
  "/usr/share/doc/*",
  "/usr/share/lintian/*",
  "/usr/share/bash-completion/*",
  "/usr/lib/udev/hwdb.d/*",
  "/lib/udev/hwdb.d/*",
  ...[
    "drivers/comedi",
    "drivers/infiniband",
    "drivers/target",
    "drivers/hid",
    "fs/btrfs",
    "fs/nfs",
    "fs/nfsd",
  ].map(module),
  ...["fs/smb", "fs/ceph", "fs/xfs", "net/sunrpc", "net/ceph", "net/tipc", "net/rds", "net/smc"].map(module),
] as const;
export const KEPT = ["/usr/share/doc/*/copyright"] as const;

function module(folder: string): string {
  return `/lib/modules/*/kernel/${folder}/*`;
}

/** The entries of Debian in the machine's own apt configuration; lists need not have been fetched. @throws BuildError */
export function debianSources(suite: string): string[] {
  let text: string;
  try {
    text = execFileSync("apt-get", ["--print-uris", "update"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    throw new BuildError(`apt-get does not say where Debian is: ${(error as Error).message}`);
  }
  const wanted = [suite, `${suite}-updates`, `${suite}-security`];
  const sources = [...text.matchAll(/^'(.+)\/dists\/([^/]+)\/InRelease'/gm)]
    .filter(([, , release = ""]) => wanted.includes(release))
    .map(([, uri = "", release = ""]) => `deb ${uri} ${release} main`);
  if (!sources.some((line) => line.includes(` ${suite} `)))
    throw new BuildError(
      `apt on this machine has no source for Debian ${suite}: add one to its sources (a mirror is enough)`,
    );
  return [...new Set(sources)];
}

/** Proxy settings of the machine's apt, for the apt of the image's build. */
export function aptProxies(): string[] {
  const text = execFileSync("apt-config", ["dump"], { encoding: "utf8" });
  return text.split("\n").filter((line) => /^Acquire::https?::Proxy/i.test(line));
}

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: string;
  readonly sourceVersion: string;
}

/** Installed packages of a dpkg status file, sorted by name. */
export function installedPackages(statusFile: string): DebianPackage[] {
  return readFileSync(statusFile, "utf8")
    .split("\n\n")
    .filter((paragraph) => /^Status: install ok installed$/m.test(paragraph))
    .map((paragraph) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1] ?? "";
      const name = field("Package");
      const version = field("Version");
      const [, source = name, sourceVersion = version] =
        /^(\S+)(?: \((.+)\))?$/.exec(field("Source") === "" ? name : field("Source")) ?? [];
      return { name, version, architecture: field("Architecture"), source, sourceVersion };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** `name=version` lines, as the build writes them, for exactly these versions again. @throws BuildError with file and line */
export function readPackageList(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new BuildError(`--packages: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    if (!/^[a-z0-9][a-z0-9.+-]+=[A-Za-z0-9.+:~-]+$/.test(line))
      throw new BuildError(`--packages: ${path}:${index + 1}: expected name=version`);
    return [line];
  });
}

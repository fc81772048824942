import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptProxies, debianSources, EXCLUDED, KEPT } from "../build/debian.ts";
import { SUITE } from "../build/root-tree.ts";
import { type RunOptions, run } from "../build/tools.ts";
import { CONTAINER_ROLES, GROUP } from "./roles.ts";

/** Beside Debian's essential packages: what Node is linked with. */
const PACKAGES = ["libstdc++6", "libgcc-s1"];

/** Runs in the finished root, given as $1: accounts, and nothing that tells one build from another. */
const CUSTOMIZE = `#!/bin/sh
set -eu
root=$1
echo '${GROUP.name}:x:${GROUP.gid}:' >>"$root/etc/group"
${CONTAINER_ROLES.map(({ name, uid }) => `echo 'tidewater-${name}:x:${uid}:${GROUP.gid}::/var/lib/tidewater/${name}:/usr/sbin/nologin' >>"$root/etc/passwd"`).join("\n")}
echo tidewater >"$root/etc/hostname"
rm -f "$root"/etc/resolv.conf "$root"/etc/machine-id
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/* "$root"/tmp/* "$root"/var/tmp/* "$root"/run/*
find "$root/var/log" -type f -delete
rm -f "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow-
rm -f "$root"/var/lib/dpkg/status-old "$root"/var/lib/dpkg/diversions-old "$root"/var/lib/dpkg/statoverride-old "$root"/var/lib/dpkg/lock* "$root"/var/lib/dpkg/triggers/Lock
`;

/** A small Debian with the accounts of the nodes, as a tar of root's without device files. @throws BuildError */
export async function makeBaseTree(work: string, how: RunOptions): Promise<string> {
  const tar = join(work, "base.tar");
  const hook = join(work, "customize");
  writeFileSync(hook, CUSTOMIZE);
  chmodSync(hook, 0o755);
  await run(
    "mmdebstrap",
    [
      "--variant=essential",
      "--mode=auto",
      "--format=tar",
      "--skip=output/dev",
      `--include=${PACKAGES.join(",")}`,
      "--aptopt=Apt::Install-Recommends false",
      "--aptopt=Acquire::Retries 3",
      ...aptProxies().map((line) => `--aptopt=${line}`),
      ...EXCLUDED.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      ...KEPT.map((pattern) => `--dpkgopt=path-include=${pattern}`),
      `--customize-hook='${hook.replaceAll("'", "'\\''")}' "$1"`,
      SUITE,
      tar,
    ],
    { ...how, input: `${debianSources(SUITE).join("\n")}\n` },
  );
  return tar;
}

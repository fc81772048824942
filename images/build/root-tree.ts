import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptProxies, debianSources, EXCLUDED, KEPT, PACKAGES } from "./debian.ts";
import { type RunOptions, run, runAsOwner } from "./tools.ts";

export const SUITE = "bookworm";

export interface RootTreeOptions {
  readonly work: string;
  /** Laid over the root, owned by root. */
  readonly payload: string;
  readonly cassandra: boolean;
  /** name=version lines: exactly these. */
  readonly pinned: readonly string[];
}

/** Runs in the finished root, given as $1: accounts, services, and nothing that tells one build from another. */
const CUSTOMIZE = `#!/bin/sh
set -eu
root=$1
chroot "$root" systemd-sysusers
chroot "$root" systemctl --quiet enable tidewater-member.service tidewater-certificates.timer systemd-networkd.service systemd-resolved.service systemd-timesyncd.service ssh.service
for unit in etcd.service memcached.service coturn.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer systemd-networkd-persistent-storage.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo tidewater >"$root/etc/hostname"
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n' >"$root/etc/hosts"
echo "# Nothing is installed on a member: it is rebuilt from a new image." >"$root/etc/apt/sources.list"
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/usr/lib/udev/hwdb.bin" "$root/etc/udev/hwdb.bin"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/* "$root"/tmp/* "$root"/var/tmp/* "$root"/run/*
find "$root/var/log" -type f -delete
rm -f "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- "$root"/etc/subuid- "$root"/etc/subgid-
rm -f "$root"/var/lib/dpkg/status-old "$root"/var/lib/dpkg/diversions-old "$root"/var/lib/dpkg/statoverride-old "$root"/var/lib/dpkg/lock* "$root"/var/lib/dpkg/triggers/Lock
# What was compiled on the building machine runs with the libraries of the image, or there is no image.
chroot "$root" /usr/lib/tidewater/bin/node -e 'require("/usr/lib/tidewater/native/build/datagrams-x64.node").addressText'
for unit in "$root"/etc/systemd/system/tidewater-*.service; do
  case $unit in *cassandra*) [ -x "$root/usr/bin/java" ] || continue ;; esac
  chroot "$root" systemd-analyze verify --man=no "\${unit#"$root"}"
done
`;

const INITRAMFS = "MODULES=list\nBUSYBOX=n\nCOMPRESS=zstd\nFSTYPE=ext4\nRESUME=none\n";
/** What a root disk is on in an OpenStack cloud. */
const INITRAMFS_MODULES =
  "virtio_pci\nvirtio_blk\nvirtio_scsi\nsd_mod\nahci\nata_piix\nnvme\next4\ncrc32c_generic\n";

/** Debian, our files on top, as a tar of root's. No loop device, no mount but those mmdebstrap itself makes in its chroot. @throws BuildError */
export async function makeRootTree(options: RootTreeOptions, how: RunOptions): Promise<string> {
  const { work, payload, cassandra, pinned } = options;
  const tar = join(work, "root.tar");
  const before = join(work, "before");
  mkdirSync(join(before, "etc/initramfs-tools/conf.d"), { recursive: true });
  writeFileSync(join(before, "etc/initramfs-tools/conf.d/tidewater"), INITRAMFS);
  writeFileSync(join(before, "etc/initramfs-tools/modules"), INITRAMFS_MODULES);
  const hook = join(work, "customize");
  writeFileSync(hook, CUSTOMIZE);
  chmodSync(hook, 0o755);
  const packages = [...PACKAGES, ...(cassandra ? ["openjdk-17-jre-headless"] : [])];
  const include = [
    ...packages.filter((name) => !pinned.some((one) => one.startsWith(`${name}=`))),
    ...pinned,
  ];
  await run(
    "mmdebstrap",
    [
      "--variant=minbase",
      "--mode=auto",
      "--format=tar",
      `--include=${include.join(",")}`,
      "--aptopt=Apt::Install-Recommends false",
      "--aptopt=Acquire::Retries 3",
      ...aptProxies().map((line) => `--aptopt=${line}`),
      ...EXCLUDED.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      ...KEPT.map((pattern) => `--dpkgopt=path-include=${pattern}`),
      "--dpkgopt=force-confold",
      // Before the kernel is installed: its initramfs is made with these.
      `--essential-hook=copy-in ${quoted(join(before, "etc"))} /`,
      `--customize-hook=tar-in ${quoted(await pack(payload, work, how))} /`,
      `--customize-hook=${quoted(hook)} "$1"`,
      SUITE,
      tar,
    ],
    { ...how, input: `${debianSources(SUITE).join("\n")}\n` },
  );
  return tar;
}

/** Files of whoever builds become root's, with the time of the build. */
async function pack(folder: string, work: string, how: RunOptions): Promise<string> {
  const tar = join(work, "payload.tar");
  await run(
    "tar",
    [
      "--create",
      "--file",
      tar,
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      `--mtime=@${how.epoch}`,
      "--directory",
      folder,
      ".",
    ],
    how,
  );
  return tar;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/** Unpacks the tree. As root directly, else under fakeroot, which then also has to make the file system. */
export async function unpackRoot(tar: string, into: string, how: RunOptions): Promise<void> {
  if (!existsSync(into)) mkdirSync(into);
  await runAsOwner(
    "tar",
    [
      "--extract",
      "--file",
      tar,
      "--directory",
      into,
      "--numeric-owner",
      "--same-owner",
      "--same-permissions",
      "--xattrs",
      "--xattrs-include=*",
      "--exclude=./dev/*",
    ],
    how,
  );
}

import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BuildError, type RunOptions, run, runAsOwner } from "./tools.ts";

const SECTOR = 512;
const MIB = 1024 * 1024;
/** LBA: what GRUB boots from on BIOS, the system partition of UEFI, the root. */
const BIOS_AT = 2048;
const ESP_AT = 4096;
const ESP_MIB = 8;
const ROOT_AT = ESP_AT + (ESP_MIB * MIB) / SECTOR;

export interface Identity {
  /** A UUID of the image's own for each name, from what is in it. */
  readonly uuid: (name: string) => string;
}

/** An ext4 file system of the tree, with its own times and no trace of when it was made. */
export async function makeFileSystem(
  tree: string,
  image: string,
  sizeMib: number,
  { uuid }: Identity,
  how: RunOptions,
): Promise<void> {
  const extended = `hash_seed=${uuid("hash")},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`;
  await runAsOwner(
    "mke2fs",
    [
      "-q",
      "-t",
      "ext4",
      "-d",
      tree,
      "-U",
      uuid("root"),
      "-L",
      "tidewater",
      "-m",
      "1",
      "-E",
      extended,
      image,
      `${sizeMib}M`,
    ],
    how,
  );
  // mke2fs takes the times of reading and changing from the tree: these are of this build.
  const used = usedInodes(image);
  const time = `@0x${how.epoch.toString(16)}`;
  const lines: string[] = [];
  for (let inode = 2; inode <= used; inode++)
    if (inode === 2 || inode > 10) lines.push(`sif <${inode}> atime ${time}`, `sif <${inode}> ctime ${time}`);
  const commands = join(how.temporary, "times.debugfs");
  writeFileSync(commands, `${lines.join("\n")}\n`);
  await run("debugfs", ["-w", "-f", commands, image], { ...how, log: `${how.log}.debugfs` });
  await run("e2fsck", ["-f", "-n", image], how);
}

/** From the superblock: all inodes but the free ones; mke2fs hands them out in order. */
function usedInodes(image: string): number {
  const block = Buffer.alloc(1024);
  const file = openSync(image, "r");
  readSync(file, block, 0, block.length, 1024);
  closeSync(file);
  if (block.readUInt16LE(56) !== 0xef53) throw new BuildError(`${image} is no ext4 file system`);
  return block.readUInt32LE(0) - block.readUInt32LE(16);
}

/** Two ways to boot one kernel: BIOS and UEFI, both GRUB with its whole configuration built in. */
export async function makeDisk(
  { tree, fileSystem, disk }: { readonly tree: string; readonly fileSystem: string; readonly disk: string },
  { uuid }: Identity,
  how: RunOptions,
): Promise<void> {
  const work = how.temporary;
  const config = join(work, "grub.cfg");
  writeFileSync(config, grubConfig(kernelVersion(tree), uuid("root")));

  const core = join(work, "core.img");
  await run(
    "grub-mkimage",
    [
      "-O",
      "i386-pc",
      "-p",
      "/boot/grub",
      "-c",
      config,
      "-o",
      core,
      "biosdisk",
      "part_gpt",
      "ext2",
      "search_fs_uuid",
      "linux",
      "serial",
      "boot",
      "configfile",
    ],
    how,
  );
  const efi = join(work, "bootx64.efi");
  await run(
    "grub-mkimage",
    [
      "-O",
      "x86_64-efi",
      "-p",
      "/boot/grub",
      "-c",
      config,
      "-o",
      efi,
      "part_gpt",
      "ext2",
      "search_fs_uuid",
      "linux",
      "serial",
      "boot",
      "efi_gop",
      "configfile",
    ],
    how,
  );

  // The directory entry in the system partition takes the time of the file.
  utimesSync(efi, how.epoch, how.epoch);
  const esp = join(work, "esp.img");
  writeFileSync(esp, "");
  truncateSync(esp, ESP_MIB * MIB);
  const serial = uuid("esp").slice(0, 8);
  await run(
    "mformat",
    [
      "-i",
      esp,
      "-N",
      serial,
      "-v",
      "EFI",
      "-h",
      "16",
      "-s",
      "32",
      "-T",
      String((ESP_MIB * MIB) / SECTOR),
      "::",
    ],
    how,
  );
  await run("mmd", ["-i", esp, "::EFI", "::EFI/BOOT"], how);
  await run("mcopy", ["-i", esp, "-m", efi, "::EFI/BOOT/BOOTX64.EFI"], how);

  const rootSectors = statSync(fileSystem).size / SECTOR;
  writeFileSync(disk, "");
  // A mebibyte at the end for the second table.
  truncateSync(disk, (ROOT_AT + rootSectors) * SECTOR + MIB);
  const table = [
    "label: gpt",
    `label-id: ${uuid("disk")}`,
    `start=${BIOS_AT}, size=${ESP_AT - BIOS_AT}, type=21686148-6449-6E6F-744E-656564454649, uuid=${uuid("bios-partition")}`,
    `start=${ESP_AT}, size=${ROOT_AT - ESP_AT}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=${uuid("esp-partition")}`,
    `start=${ROOT_AT}, size=${rootSectors}, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=${uuid("root-partition")}`,
  ];
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], {
    ...how,
    input: `${table.join("\n")}\n`,
  });
  installGrub(disk, core);
  const target = openSync(disk, "r+");
  try {
    copyInto(target, esp, ESP_AT * SECTOR);
    copyInto(target, fileSystem, ROOT_AT * SECTOR);
  } finally {
    closeSync(target);
  }
}

/** What grub-bios-setup does, without a device: boot.img finds the core image, its first sector the rest of it. */
function installGrub(disk: string, coreFile: string): void {
  const boot = readFileSync("/usr/lib/grub/i386-pc/boot.img");
  const core = readFileSync(coreFile);
  if (core.length > (ESP_AT - BIOS_AT) * SECTOR) throw new BuildError("GRUB's core image is too large");
  boot.writeBigUInt64LE(BigInt(BIOS_AT), 0x5c);
  // Some BIOSes do not say which drive they booted from: take the first.
  boot.writeUInt16LE(0x9090, 0x66);
  core.writeBigUInt64LE(BigInt(BIOS_AT + 1), SECTOR - 12);
  if (core.readUInt16LE(SECTOR - 4) < Math.ceil((core.length - SECTOR) / SECTOR))
    throw new BuildError("GRUB's core image does not say how long it is: another GRUB than 2.06?");
  const target = openSync(disk, "r+");
  try {
    // Up to the disk signature and the table of partitions.
    writeSync(target, boot, 0, 440, 0);
    writeSync(target, core, 0, core.length, BIOS_AT * SECTOR);
  } finally {
    closeSync(target);
  }
}

function copyInto(target: number, file: string, at: number): void {
  const source = openSync(file, "r");
  const chunk = Buffer.alloc(4 * MIB);
  try {
    for (let from = 0; ; ) {
      const length = readSync(source, chunk, 0, chunk.length, from);
      if (length === 0) return;
      // What is empty stays a hole.
      if (!chunk.subarray(0, length).every((byte) => byte === 0))
        writeSync(target, chunk, 0, length, at + from);
      from += length;
    }
  } finally {
    closeSync(source);
  }
}

/** The one kernel of the tree. */
function kernelVersion(tree: string): string {
  const versions = readdirSync(join(tree, "boot"))
    .filter((file) => file.startsWith("vmlinuz-"))
    .map((file) => file.slice("vmlinuz-".length));
  if (versions.length !== 1 || versions[0] === undefined)
    throw new BuildError(`the tree has ${versions.length} kernels, not one: ${versions.join(", ")}`);
  return versions[0];
}

function grubConfig(version: string, root: string): string {
  return `${[
    "serial --unit=0 --speed=115200",
    "terminal_output console serial",
    `search.fs_uuid ${root} root`,
    // The last console is where systemd and our own lines go: what "openstack console log show" shows.
    `linux ($root)/boot/vmlinuz-${version} root=UUID=${root} ro console=tty0 console=ttyS0,115200n8 loglevel=4`,
    `initrd ($root)/boot/initrd.img-${version}`,
    "boot",
  ].join("\n")}\n`;
}

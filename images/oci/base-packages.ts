import { join } from "node:path";
import { type DebianPackage, installedPackages } from "../build/debian.ts";
import { type RunOptions, run } from "../build/tools.ts";

/** Debian packages in the tar of a root file system. @throws BuildError */
export async function packagesIn(tar: string, work: string, how: RunOptions): Promise<DebianPackage[]> {
  const status = "./var/lib/dpkg/status";
  await run("tar", ["--extract", "--file", tar, "--directory", work, status], how);
  return installedPackages(join(work, status));
}

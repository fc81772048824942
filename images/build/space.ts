import { statfsSync } from "node:fs";
import { BuildError } from "./tools.ts";

/** @throws BuildError when the file system of `folder` has less free, in numbers */
export function requireSpace(folder: string, gigabytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = (bavail * bsize) / 1e9;
  if (free < gigabytes)
    throw new BuildError(
      `${folder} has ${free.toFixed(1)} GB free, a build takes ${gigabytes} GB: make room or give another --output`,
    );
}

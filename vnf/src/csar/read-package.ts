import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { PackageFiles } from "../sol001/validate/descriptor-bundle.ts";
import { verifyDetached } from "./cms.ts";
import { META_FILE } from "./package-files.ts";
import { readZip, ZIP_LIMITS } from "./zip-reader.ts";

export type PackageReading =
  | {
      readonly kind: "package";
      readonly files: PackageFiles;
      /** Of the whole package, by an archive around it (SOL 004 option 2). */
      readonly outer?: "unchanged" | "trusted";
    }
  | { readonly kind: "bad"; readonly problem: string; readonly remedy: string };

/** Reads a package: a CSAR, an archive of one with its signature, or a folder with the same files. */
export async function readPackage(path: string, trustFile?: string): Promise<PackageReading> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) return { kind: "package", files: await readFolder(path) };
    if (facts.size > ZIP_LIMITS.bytes)
      return { kind: "bad", problem: `${facts.size} bytes`, remedy: `${ZIP_LIMITS.bytes} are the most` };
    const zip = readZip(await readFile(path));
    if (zip.kind === "bad") return zip;
    return zip.files.has(META_FILE) ? { kind: "package", files: zip.files } : unwrap(zip.files, trustFile);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === "ENOENT") return { kind: "bad", problem: "there is no such file", remedy: "check the path" };
    return { kind: "bad", problem: `cannot be read: ${code}`, remedy: "check the path and its permissions" };
  }
}

async function unwrap(files: PackageFiles, trustFile: string | undefined): Promise<PackageReading> {
  const named = (ending: string) => [...files].filter(([name]) => name.endsWith(ending));
  const [csar, ...more] = named(".csar");
  const [cms] = named(".cms");
  if (csar === undefined || more.length > 0)
    return {
      kind: "bad",
      problem: `there is no ${META_FILE}, and ${more.length === 0 ? "no" : "more than one"} .csar inside`,
      remedy: "this is no package: build one with tidewater vnf package",
    };
  if (cms === undefined)
    return {
      kind: "bad",
      problem: `there is no signature beside ${csar[0]}`,
      remedy: "fetch the archive again",
    };
  const verified = await verifyDetached({
    content: csar[1],
    cmsPem: Buffer.from(cms[1]).toString("utf8"),
    ...(trustFile === undefined ? {} : { trustFile }),
  });
  if (verified.kind === "failed")
    return {
      kind: "bad",
      problem: `the signature of ${csar[0]} does not hold: ${verified.problem}`,
      remedy: verified.remedy,
    };
  const inner = readZip(Buffer.from(csar[1]));
  if (inner.kind === "bad") return { ...inner, problem: `${csar[0]}: ${inner.problem}` };
  return { kind: "package", files: inner.files, outer: trustFile === undefined ? "unchanged" : "trusted" };
}

async function readFolder(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.set(relative(folder, path).split(sep).join("/"), await readFile(path));
    }
  return files;
}

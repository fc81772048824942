import { createHash } from "node:crypto";
import { textOf } from "../checks/hot/hot-node.ts";
import type { PackageFiles } from "../sol001/validate/descriptor-bundle.ts";
import { nodesOf, propertyOf } from "../sol001/validate/descriptor-bundle.ts";
import type { PackageFault } from "../sol001/validate/descriptor-fault.ts";
import { validateDescriptor } from "../sol001/validate/validate-descriptor.ts";
import { verifyDetached } from "./cms.ts";
import { MANIFEST_KEYS, readManifest, splitSignature } from "./manifest.ts";
import { META_FILE } from "./package-files.ts";
import { pemOf } from "./sign-package.ts";

export interface ValidateRequest {
  readonly files: PackageFiles;
  /** PEM file of trusted certificates. */
  readonly trustFile?: string;
  /** A package without a signature is a fault. */
  readonly signed?: boolean;
}

/** How far the signature is known to be good. */
export type SignatureState = "none" | "unchanged" | "trusted" | "bad";

export interface PackageCheck {
  readonly faults: readonly PackageFault[];
  readonly signature: SignatureState;
}

const META_KEYS = [
  "TOSCA-Meta-File-Version",
  "CSAR-Version",
  "Created-By",
  "Entry-Definitions",
  "ETSI-Entry-Manifest",
  "ETSI-Entry-Change-Log",
];
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ["SHA-224", "sha224"],
  ["SHA-256", "sha256"],
  ["SHA-384", "sha384"],
  ["SHA-512", "sha512"],
]);

/** Checks a package (SOL 004): metadata, manifest, digests, signature, then its descriptor and templates. */
export async function validatePackage({
  files,
  trustFile,
  signed = false,
}: ValidateRequest): Promise<PackageCheck> {
  const meta = readMeta(files);
  if (meta.kind === "bad") return { faults: meta.faults, signature: "none" };
  const faults: PackageFault[] = [...meta.faults];
  const manifestFile = meta.entries.get("ETSI-Entry-Manifest") ?? "";
  const text = files.get(manifestFile);
  const manifestText = text === undefined ? undefined : Buffer.from(text).toString("utf8");
  if (manifestText !== undefined) faults.push(...manifestFaults(files, manifestFile, manifestText));
  const signature = await signatureOf(manifestFile, manifestText, trustFile, faults);
  if (signed && signature === "none")
    faults.push({
      file: manifestFile,
      line: 0,
      at: "",
      problem: "the package is not signed",
      remedy: "sign it with tidewater vnf sign",
    });
  const top = meta.entries.get("Entry-Definitions") ?? "";
  if (files.has(top)) {
    const { bundle, faults: found } = validateDescriptor(files, top);
    faults.push(...found);
    const topFile = bundle.descriptors.get(top);
    const vnf = topFile === undefined ? undefined : [...nodesOf(topFile).values()][0];
    if (vnf !== undefined && manifestText !== undefined) {
      const { facts } = readManifest(manifestText);
      for (const [key, property] of [
        ["vnfd_id", "descriptor_id"],
        ["vnf_product_name", "product_name"],
        ["vnf_provider_id", "provider"],
        ["vnf_software_version", "software_version"],
      ] as const) {
        const told = facts.get(key);
        const wanted = textOf(propertyOf(vnf, property));
        if (told !== undefined && wanted !== undefined && told.value !== wanted)
          faults.push({
            file: manifestFile,
            line: told.line,
            at: key,
            problem: `"${told.value}" differs from ${property} "${wanted}" of ${top}`,
            remedy: "build the package again",
          });
      }
    }
  }
  return { faults, signature };
}

type MetaReading =
  | {
      readonly kind: "meta";
      readonly entries: ReadonlyMap<string, string>;
      readonly faults: readonly PackageFault[];
    }
  | { readonly kind: "bad"; readonly faults: readonly PackageFault[] };

function readMeta(files: PackageFiles): MetaReading {
  const bytes = files.get(META_FILE);
  if (bytes === undefined)
    return {
      kind: "bad",
      faults: [
        {
          file: META_FILE,
          line: 0,
          at: "",
          problem: "there is no such file in the package",
          remedy: "a package begins with it: build it with tidewater vnf package",
        },
      ],
    };
  const faults: PackageFault[] = [];
  const entries = new Map<string, string>();
  const lines = new Map<string, number>();
  Buffer.from(bytes)
    .toString("utf8")
    .split(/\r?\n/)
    .forEach((line, at) => {
      if (line.trim() === "") return;
      const [, key = "", value = ""] = /^([A-Za-z][\w-]*):\s*(\S.*?)\s*$/.exec(line) ?? [];
      const fault = (problem: string, remedy: string) =>
        faults.push({ file: META_FILE, line: at + 1, at: key, problem, remedy });
      if (key === "") fault("is no line <keyword>: <value>", "correct or remove it");
      else if (entries.has(key))
        fault("stands twice", "write it once: some read the file as one YAML mapping");
      else {
        entries.set(key, value);
        lines.set(key, at + 1);
      }
    });
  for (const key of META_KEYS)
    if (!entries.has(key))
      faults.push({
        file: META_FILE,
        line: 0,
        at: key,
        problem: "is missing",
        remedy: "SOL 004 wants it: add the line",
      });
  for (const [key, value] of entries)
    if (
      /^(?:ETSI-)?Entry-/.test(key) &&
      !files.has(value) &&
      ![...files.keys()].some((path) => path.startsWith(`${value}/`))
    )
      faults.push({
        file: META_FILE,
        line: lines.get(key) ?? 0,
        at: key,
        problem: `there is no ${value} in the package`,
        remedy: "put it there, or correct the path",
      });
  return { kind: "meta", entries, faults };
}

function manifestFaults(files: PackageFiles, manifestFile: string, text: string): PackageFault[] {
  const { facts, entries, unknown } = readManifest(text);
  const faults: PackageFault[] = [];
  const add = (line: number, at: string, problem: string, remedy: string) =>
    faults.push({ file: manifestFile, line, at, problem, remedy });
  for (const line of unknown)
    add(line, "", "is no line of a manifest", "write metadata, or Source, Algorithm and Hash of a file");
  for (const key of MANIFEST_KEYS)
    if (!facts.has(key)) add(1, `metadata.${key}`, "is missing", "SOL 004 wants it: add it");
  const date = facts.get("vnf_release_date_time");
  if (date !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(date.value))
    add(
      date.line,
      "vnf_release_date_time",
      `"${date.value}" is no date and time`,
      "write it as 2026-11-21T00:00:00Z (RFC 3339)",
    );
  const seen = new Set<string>();
  for (const { source, line, algorithm, hash } of entries) {
    const bytes = files.get(source);
    const digest = DIGESTS.get(algorithm);
    if (seen.has(source)) add(line, source, "stands twice", "list each file once");
    seen.add(source);
    if (bytes === undefined)
      add(line, source, "there is no such file in the package", "put it back, or fetch the package again");
    else if (digest === undefined)
      add(
        line,
        source,
        `the algorithm "${algorithm}" is not known`,
        `use one of ${[...DIGESTS.keys()].join(", ")}`,
      );
    else if (createHash(digest).update(bytes).digest("hex") !== hash)
      add(
        line,
        source,
        `was changed: its ${algorithm} is another one`,
        "fetch the package again; if it stays so, ask who signed it",
      );
  }
  for (const path of files.keys())
    if (!seen.has(path) && path !== manifestFile)
      add(0, path, "is in the package, but not in the manifest", "take it out: nobody has vouched for it");
  return faults;
}

async function signatureOf(
  file: string,
  text: string | undefined,
  trustFile: string | undefined,
  faults: PackageFault[],
): Promise<SignatureState> {
  const { signed, cms } = splitSignature(text ?? "");
  if (cms === undefined) return "none";
  const line = signed.split("\n").length;
  const verified = await verifyDetached({
    content: Buffer.from(signed),
    cmsPem: pemOf(cms),
    ...(trustFile === undefined ? {} : { trustFile }),
  });
  if (verified.kind === "done") return trustFile === undefined ? "unchanged" : "trusted";
  faults.push({
    file,
    line,
    at: "CMS",
    problem: `the signature does not hold: ${verified.problem}`,
    remedy: verified.remedy,
  });
  return "bad";
}

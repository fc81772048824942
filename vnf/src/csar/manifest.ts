import { createHash } from "node:crypto";
import type { PackageFiles } from "../sol001/validate/descriptor-bundle.ts";

/** Metadata of a manifest (SOL 004 clause 4.3.2), by their keywords. */
export type ManifestFacts = Readonly<Record<(typeof MANIFEST_KEYS)[number], string>>;

export const MANIFEST_KEYS = [
  "vnfd_id",
  "vnf_provider_id",
  "vnf_product_name",
  "vnf_software_version",
  "vnf_package_version",
  "vnf_release_date_time",
  "vnfm_info",
  "compatible_specification_versions",
] as const;

const BEGIN = "-----BEGIN CMS-----";
const END = "-----END CMS-----";

/** Files of the package that no VNF management looks into, by the sets SOL 004 registers or that are ours. */
const NON_MANO_SETS: readonly (readonly [string, RegExp])[] = [
  ["tidewater_heat_templates", /^Artifacts\/heat-templates\//],
  ["tidewater_monitoring", /^Artifacts\/monitoring\//],
];

/** The manifest: who the VNF is, and a SHA-256 for every file but the manifest itself. */
export function manifest(facts: ManifestFacts, files: PackageFiles): string {
  const paths = [...files.keys()].sort();
  const lines = ["metadata:", ...MANIFEST_KEYS.map((key) => `  ${key}: ${facts[key]}`), ""];
  for (const path of paths) {
    const digest = createHash("sha256")
      .update(files.get(path) ?? "")
      .digest("hex");
    lines.push(`Source: ${path}`, "Algorithm: SHA-256", `Hash: ${digest}`, "");
  }
  const sets = NON_MANO_SETS.map(([name, of]) => [name, paths.filter((path) => of.test(path))] as const);
  if (sets.some(([, members]) => members.length > 0)) {
    lines.push("non_mano_artifact_sets:");
    for (const [name, members] of sets)
      if (members.length > 0) lines.push(`  ${name}:`, ...members.map((path) => `    Source: ${path}`));
    lines.push("");
  }
  // An empty line at the end: some take the file apart at those, and each part for YAML, the signature, too.
  return `${lines.join("\n")}\n`;
}

/** The manifest with a signature over all that comes before it. */
export function withSignature(manifestText: string, cms: string): string {
  return `${splitSignature(manifestText).signed}${BEGIN}\n${cms.trim()}\n${END}\n`;
}

/** What is signed, and the signature in base64 when there is one. */
export function splitSignature(manifestText: string): { readonly signed: string; readonly cms?: string } {
  const at = manifestText.indexOf(BEGIN);
  if (at < 0) return { signed: manifestText };
  const end = manifestText.indexOf(END, at);
  const cms = manifestText.slice(at + BEGIN.length, end < 0 ? undefined : end).trim();
  return { signed: manifestText.slice(0, at), cms };
}

export interface ManifestEntry {
  readonly source: string;
  readonly line: number;
  readonly algorithm: string;
  readonly hash: string;
}

export interface ManifestContent {
  readonly facts: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  readonly entries: readonly ManifestEntry[];
  /** Lines that say nothing known. */
  readonly unknown: readonly number[];
}

/** Reads a manifest line by line; what is missing is left to whoever checks it. */
export function readManifest(text: string): ManifestContent {
  const facts = new Map<string, { value: string; line: number }>();
  const entries: ManifestEntry[] = [];
  const unknown: number[] = [];
  let section: "none" | "metadata" | "sets" = "none";
  let open: { source: string; line: number; algorithm: string; hash: string } | undefined;
  const close = (): void => {
    if (open !== undefined) entries.push(open);
    open = undefined;
  };
  splitSignature(text)
    .signed.split(/\r?\n/)
    .forEach((line, at) => {
      const [, indent = "", key = "", value = ""] = /^(\s*)([A-Za-z_][\w-]*):\s*(.*?)\s*$/.exec(line) ?? [];
      if (line.trim() === "" || line.startsWith("#")) close();
      else if (key === "") unknown.push(at + 1);
      else if (indent === "" && key === "metadata") section = "metadata";
      else if (indent === "" && key === "non_mano_artifact_sets") section = "sets";
      else if (indent !== "" && section === "metadata") facts.set(key, { value, line: at + 1 });
      else if (indent !== "" && section === "sets") return;
      else if (key === "Source" || key === "Name") {
        close();
        section = "none";
        open = { source: value, line: at + 1, algorithm: "", hash: "" };
      } else if (key === "Algorithm" && open !== undefined) open.algorithm = value;
      else if (key === "Hash" && open !== undefined) open.hash = value.toLowerCase();
      else if (!["Signature", "Certificate", "Content-Type"].includes(key)) unknown.push(at + 1);
    });
  close();
  return { facts, entries, unknown };
}

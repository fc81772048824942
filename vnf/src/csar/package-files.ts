import { deploymentFlavour, spareMembers } from "../sol001/deployment-flavour.ts";
import { type DescriptorSource, descriptorFiles, TOP_FILE } from "../sol001/descriptor.ts";
import { baseHot, heatArtifacts } from "./base-hot.ts";
import { type ManifestFacts, manifest } from "./manifest.ts";

/** What a package is made from. */
export interface PackageSource extends DescriptorSource {
  readonly imageBytes: Uint8Array;
  /** heat-templates/ by path. */
  readonly heat: ReadonlyMap<string, string>;
  /** Files with the types of SOL 001, by name. */
  readonly types: ReadonlyMap<string, string>;
  /** Further files by path in the package: change log, licences, tests, scripts. */
  readonly extras: ReadonlyMap<string, Uint8Array>;
}

export const META_FILE = "TOSCA-Metadata/TOSCA.meta";
export const MANIFEST_FILE = "tidewater.mf";
export const CHANGE_LOG = "Files/ChangeLog.txt";

/** Release of SOL 004 that the packages of a profile follow. */
const SPECIFICATIONS = { "sol001-4": "4.4.1", "sol001-2.6.1": "2.6.1" } as const;

/** All files of the package by path; the manifest has no signature yet. */
export function packageFiles(source: PackageSource): Map<string, Uint8Array> {
  const { profile, model, facts } = source;
  const flavours = facts.flavours.map((flavour) => deploymentFlavour(model, flavour));
  const files = new Map<string, Uint8Array>();
  const put = (texts: ReadonlyMap<string, string>): void => {
    for (const [path, text] of texts) files.set(path, Buffer.from(text));
  };
  put(new Map([[META_FILE, toscaMeta()]]));
  put(descriptorFiles(source));
  for (const [name, text] of source.types) files.set(`Definitions/${name}`, Buffer.from(text));
  put(profile === "sol001-4" ? heatArtifacts(source.heat, flavours) : baseHot(source.heat, flavours));
  if (source.image.packed) files.set(`Files/images/${source.image.file}`, source.imageBytes);
  for (const [path, bytes] of source.extras)
    if (profile === "sol001-2.6.1" || !path.startsWith("UserData/")) files.set(path, bytes);
  if (profile === "sol001-2.6.1") {
    const pools = flavours.map((flavour): [string, unknown] => [
      flavour.name,
      Object.fromEntries(
        flavour.pools.map((pool) => [
          pool.vdu.name,
          Object.fromEntries(pool.sizes.map((size) => [size, spareMembers(pool, size)])),
        ]),
      ),
    ]);
    files.set(
      "UserData/pools.json",
      Buffer.from(`${JSON.stringify(Object.fromEntries(pools), undefined, 2)}\n`),
    );
  }
  files.set(MANIFEST_FILE, Buffer.from(manifest(manifestFacts(source), files)));
  return files;
}

function manifestFacts({ facts, profile }: PackageSource): ManifestFacts {
  const { product, descriptors } = facts;
  return {
    vnfd_id: descriptors[profile] ?? "",
    vnf_provider_id: product.provider,
    vnf_product_name: product.name,
    vnf_software_version: product.software_version,
    vnf_package_version: product.descriptor_version,
    vnfm_info: product.vnfm.join(","),
    vnf_release_date_time: product.released,
    compatible_specification_versions: SPECIFICATIONS[profile],
  };
}

/** One YAML mapping: some read it as such. */
function toscaMeta(): string {
  return [
    "TOSCA-Meta-File-Version: 1.0",
    "CSAR-Version: 1.1",
    "Created-By: Tidewater",
    `Entry-Definitions: ${TOP_FILE}`,
    `ETSI-Entry-Manifest: ${MANIFEST_FILE}`,
    `ETSI-Entry-Change-Log: ${CHANGE_LOG}`,
    "ETSI-Entry-Licenses: Files/Licenses",
    "ETSI-Entry-Tests: Files/Tests",
    "",
  ].join("\n");
}

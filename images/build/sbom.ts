import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { NpmPackage } from "./bundles.ts";
import type { DebianPackage } from "./debian.ts";

export interface SbomRequest {
  readonly name: string;
  readonly version: string;
  readonly epoch: number;
  readonly suite: string;
  readonly debian: readonly DebianPackage[];
  readonly npm: readonly NpmPackage[];
  /** Files of our own, with their place in the image. */
  readonly files: readonly { readonly place: string; readonly path: string }[];
  /** Jars of Cassandra, when they are in the image. */
  readonly jars: readonly string[];
}

/** SPDX 2.3 in JSON: every Debian package, every npm package with code in the image, our own files with their digests. */
export function spdx(request: SbomRequest): string {
  const { name, version, epoch, suite, debian, npm, files, jars } = request;
  const packages = [
    {
      SPDXID: "SPDXRef-image",
      name,
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: "Apache-2.0",
      primaryPackagePurpose: "OPERATING-SYSTEM",
    },
    ...debian.map((one) => ({
      SPDXID: `SPDXRef-deb-${spdxName(one.name)}-${one.architecture}`,
      name: one.name,
      versionInfo: one.version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      // The text is in the image: /usr/share/doc/<package>/copyright.
      licenseDeclared: "NOASSERTION",
      sourceInfo: `built from source package ${one.source} ${one.sourceVersion}`,
      externalRefs: [
        purl(
          `pkg:deb/debian/${encodeURIComponent(one.name)}@${encodeURIComponent(one.version)}?arch=${one.architecture}&distro=${suite}`,
        ),
      ],
    })),
    ...npm.map((one) => ({
      SPDXID: `SPDXRef-npm-${spdxName(one.name)}-${spdxName(one.version)}`,
      name: one.name,
      versionInfo: one.version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: one.licence,
      ...(one.integrity === undefined ? {} : { checksums: [checksum(one.integrity)] }),
      externalRefs: [purl(`pkg:npm/${one.name.replace("@", "%40")}@${one.version}`)],
    })),
    ...jars.map((jar) => ({
      SPDXID: `SPDXRef-jar-${spdxName(jar)}`,
      name: jar,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: "NOASSERTION",
    })),
  ];
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${name}-${version}`,
    documentNamespace: `urn:tidewater:image:${version}:${digest(JSON.stringify(packages)).slice(0, 32)}`,
    creationInfo: {
      created: `${new Date(epoch * 1000).toISOString().slice(0, 19)}Z`,
      creators: ["Tool: tidewater images/build"],
    },
    packages,
    files: files.map(({ place, path }) => ({
      SPDXID: `SPDXRef-file-${spdxName(place)}`,
      fileName: `.${place}`,
      licenseConcluded: "NOASSERTION",
      copyrightText: "NOASSERTION",
      checksums: [
        { algorithm: "SHA1", checksumValue: createHash("sha1").update(readFileSync(path)).digest("hex") },
        { algorithm: "SHA256", checksumValue: digest(readFileSync(path)) },
      ],
    })),
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
      ...packages.slice(1).map(({ SPDXID }) => relationship("SPDXRef-image", "CONTAINS", SPDXID)),
      ...files.map(({ place }) =>
        relationship("SPDXRef-image", "CONTAINS", `SPDXRef-file-${spdxName(place)}`),
      ),
    ],
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function purl(referenceLocator: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator };
}

/** sha512-<base64> of the lock file, as SPDX writes it. */
function checksum(integrity: string) {
  const [algorithm = "", base64 = ""] = integrity.split("-", 2);
  return { algorithm: algorithm.toUpperCase(), checksumValue: Buffer.from(base64, "base64").toString("hex") };
}

function spdxName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.-]/g, "-").replace(/^-+/, "");
}

function digest(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ETSI_TYPE_FILES,
  monitoringExtras,
  type PackageSource,
  type Profile,
  packageFiles,
  readModel,
  readVnfdFacts,
  type SoftwareImage,
  TYPES_VERSION,
} from "../../vnf/src/index.ts";
import { HEAT_FOLDER, heatFiles } from "./heat-files.ts";

const ROOT = join(HEAT_FOLDER, "..");
export const IMAGE = Buffer.from("no disk, but bytes of one\n".repeat(10));

export function testImage(bytes: Uint8Array = IMAGE): SoftwareImage {
  return {
    name: "tidewater",
    file: "tidewater.raw",
    packed: true,
    diskFormat: "raw",
    size: bytes.length,
    virtualSize: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    sha512: createHash("sha512").update(bytes).digest("hex"),
  };
}

export function packageSource(profile: Profile): PackageSource {
  const model = readModel();
  assert.ok(model.kind === "model");
  const facts = readVnfdFacts(model.model);
  assert.ok(facts.kind === "facts", JSON.stringify(facts));
  const types = join(ROOT, "tosca/types", TYPES_VERSION[profile]);
  const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
  return {
    model: model.model,
    facts: facts.facts,
    profile,
    image: testImage(),
    imageBytes: IMAGE,
    heat: heatFiles(),
    types: new Map(ETSI_TYPE_FILES.map((file) => [file, readFileSync(join(types, file), "utf8")])),
    extras: new Map([
      ...monitoringExtras(profile),
      ...[
        ["Files/ChangeLog.txt", read("CHANGELOG.md")],
        ["Files/Licenses/LICENSE", read("LICENSE")],
        ["Files/Tests/README.txt", read("tosca/tests/README.txt")],
        ["UserData/tidewater_userdata.py", read("tosca/UserData/tidewater_userdata.py")],
      ].map(([path = "", text = ""]): [string, Uint8Array] => [path, Buffer.from(text)]),
    ]),
  };
}

/** All files of a package, by path, without a signature; with some flavours only where that is enough. */
export function toscaFiles(profile: Profile, flavours?: readonly string[]): Map<string, Uint8Array> {
  const source = packageSource(profile);
  const chosen = source.facts.flavours.filter(({ name }) => flavours?.includes(name) ?? true);
  return packageFiles({ ...source, facts: { ...source.facts, flavours: chosen } });
}

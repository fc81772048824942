import { globSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MODEL_FOLDER, readModel } from "../model/model.ts";
import { formatFault } from "../model/yaml-file.ts";
import { monitoringFiles } from "../monitoring/monitoring-files.ts";
import { ETSI_TYPE_FILES, TYPES_VERSION } from "../sol001/descriptor.ts";
import { readImage } from "../sol001/software-image.ts";
import { type Profile, readVnfdFacts } from "../sol001/vnfd-facts.ts";
import { CHANGE_LOG, type PackageSource } from "./package-files.ts";

const ROOT = join(import.meta.dirname, "../../..");

export interface SourceRequest {
  readonly profile: Profile;
  readonly imageFile: string;
  /** Name of the image in the image service. */
  readonly imageName: string;
  /** The image stays outside the package, and is found by its name: SOL 001 2.6.1 alone can say so. */
  readonly imageByName?: boolean;
  /** Folder of the model; default: that of the project, as for all others. */
  readonly model?: string;
  readonly heat?: string;
  /** Folder with the type files of SOL 001. */
  readonly types?: string;
}

export type SourceReading =
  | { readonly kind: "source"; readonly source: PackageSource }
  | { readonly kind: "bad"; readonly lines: readonly string[] };

/** Reads all that a package is made from. */
export async function readPackageSource(request: SourceRequest): Promise<SourceReading> {
  const bad = (lines: readonly string[]): SourceReading => ({ kind: "bad", lines });
  const folder = request.model ?? MODEL_FOLDER;
  const model = readModel(folder);
  if (model.kind === "bad") return bad(model.faults.map(formatFault));
  const facts = readVnfdFacts(model.model, folder);
  if (facts.kind === "bad") return bad(facts.faults.map(formatFault));
  const image = await readImage(request.imageFile, request.imageName, request.imageByName !== true);
  if (image.kind === "bad") return bad([image.problem]);
  const smallest = Math.min(...model.model.vdus.map(({ size }) => size.disk));
  if (image.image.virtualSize > smallest * 1024 ** 3)
    return bad([
      `image ${request.imageFile}: a disk of ${Math.ceil(image.image.virtualSize / 1024 ** 3)} GiB; a VDU has ${smallest} GiB: make the image smaller, or the disk in vdus.yaml larger`,
    ]);
  const heat = request.heat ?? join(ROOT, "heat-templates");
  const templates = globSync(["*.yaml", "nested/*", "user-data/*", "environments/*"], { cwd: heat }).sort();
  if (!templates.includes("ims.yaml")) return bad([`${heat}: there is no ims.yaml in this folder`]);
  const types = request.types ?? join(ROOT, "tosca/types", TYPES_VERSION[request.profile]);
  try {
    const text = (path: string): string => readFileSync(path, "utf8");
    return {
      kind: "source",
      source: {
        model: model.model,
        facts: facts.facts,
        profile: request.profile,
        image: image.image,
        imageBytes: await readFile(request.imageFile),
        heat: new Map(templates.map((path) => [path, text(join(heat, path))])),
        types: new Map(ETSI_TYPE_FILES.map((file) => [file, text(join(types, file))])),
        extras: new Map([
          [CHANGE_LOG, readFileSync(join(ROOT, "CHANGELOG.md"))],
          ["Files/Licenses/LICENSE", readFileSync(join(ROOT, "LICENSE"))],
          ["Files/Tests/README.txt", readFileSync(join(ROOT, "tosca/tests/README.txt"))],
          [
            "UserData/tidewater_userdata.py",
            readFileSync(join(ROOT, "tosca/UserData/tidewater_userdata.py")),
          ],
          ...monitoringExtras(request.profile),
        ]),
      },
    };
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return bad([
      `${path ?? types}: ${code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`}`,
    ]);
  }
}

/** Tacker reads a manifest without sets of other artifacts; elsewhere they are one (SOL 004 clause 4.3.7). */
export function monitoringExtras(profile: Profile): [string, Uint8Array][] {
  const folder = profile === "sol001-4" ? "Artifacts/monitoring" : "Files/Monitoring";
  return [...monitoringFiles()].map(([path, text]) => [`${folder}/${path}`, Buffer.from(text)]);
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkNetworks, checkPorts, checkVdus, checkZones } from "./checks.ts";
import {
  type Network,
  networksFile,
  type OutsideParty,
  type Port,
  portsFile,
  type Vdu,
  vdusFile,
  type Zone,
  zonesFile,
} from "./schemas.ts";
import { type Fault, type Located, readYaml, type YamlReading } from "./yaml-file.ts";

/** What the VNF consists of: the one source of templates, packages, rules and checks. */
export interface VnfModel {
  readonly vdus: readonly Vdu[];
  readonly networks: readonly Network[];
  readonly outside: readonly OutsideParty[];
  readonly zones: readonly Zone[];
  readonly ports: readonly Port[];
}

export type ModelReading =
  | { readonly kind: "model"; readonly model: VnfModel }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] };

export const MODEL_FILES = ["vdus.yaml", "networks.yaml", "zones.yaml", "ports.yaml"] as const;
export type ModelFile = (typeof MODEL_FILES)[number];

/** The model that comes with the project. */
export const MODEL_FOLDER = join(import.meta.dirname, "../../model");

/**
 * Reads the four files of a folder and checks them, each alone and against each other. All faults are told at once; what
 * cannot be opened is a fault, too.
 */
export function readModel(folder: string = MODEL_FOLDER): ModelReading {
  const texts = new Map<ModelFile, string>();
  const faults: Fault[] = [];
  for (const file of MODEL_FILES)
    try {
      texts.set(file, readFileSync(join(folder, file), "utf8"));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const problem =
        code === "ENOENT" ? "there is no such file" : `cannot be read: ${code ?? String(error)}`;
      faults.push({ file: join(folder, file), line: 0, at: "", problem });
    }
  return faults.length > 0 ? { kind: "bad", faults } : modelOf(texts, (file) => join(folder, file));
}

/** The model in texts of the four files; `pathOf` is how a file is called in faults. */
export function modelOf(
  texts: ReadonlyMap<ModelFile, string>,
  pathOf: (file: ModelFile) => string = (file) => file,
): ModelReading {
  const text = (file: ModelFile): [string, string] => [texts.get(file) ?? "", pathOf(file)];
  const vdus = readYaml(...text("vdus.yaml"), vdusFile);
  const networks = readYaml(...text("networks.yaml"), networksFile);
  const zones = readYaml(...text("zones.yaml"), zonesFile);
  const ports = readYaml(...text("ports.yaml"), portsFile);
  if (isRead(vdus) && isRead(networks) && isRead(zones) && isRead(ports)) {
    const files = { vdus, networks, zones, ports };
    const faults = [checkNetworks, checkZones, checkVdus, checkPorts].flatMap((check) => check(files));
    if (faults.length > 0) return { kind: "bad", faults };
    return {
      kind: "model",
      model: {
        vdus: vdus.value.vdus,
        networks: networks.value.networks,
        outside: networks.value.outside,
        zones: zones.value.zones,
        ports: ports.value.ports,
      },
    };
  }
  return {
    kind: "bad",
    faults: [vdus, networks, zones, ports].flatMap((file) => (file.kind === "bad" ? file.faults : [])),
  };
}

function isRead<T>(reading: YamlReading<T>): reading is Located<T> {
  return reading.kind === "read";
}

import { parametersOf, readBundle, resourcesOf } from "../../checks/hot/hot-bundle.ts";
import { child, textOf } from "../../checks/hot/hot-node.ts";
import { lintHot } from "../../checks/hot/lint-hot.ts";
import {
  type DescriptorBundle,
  type FlavourFile,
  type PackageFiles,
  propertyOf,
  requirementsOf,
  VDU_CP,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";
import { scalingOf, type VduScaling } from "./scaling-rules.ts";

/** Where the templates of a flavour are: its own BaseHOT, or one folder for all with an environment for each. */
export const HEAT_FOLDER = "Artifacts/heat-templates";
export function baseHotFolder(flavour: string): string {
  return `BaseHOT/${flavour}`;
}
export function environmentFile(flavour: string): string {
  return `environments/flavour-${flavour}.yaml`;
}

/** Descriptor against templates: pools, interfaces, sizes, cells, flavors and image are the same in both. */
export function hotRules({ files, flavours, top }: DescriptorBundle): PackageFault[] {
  const hasTemplates = [...files.keys()].some(
    (path) => path.startsWith("BaseHOT/") || path.startsWith(`${HEAT_FOLDER}/`),
  );
  if (!hasTemplates)
    return [
      {
        file: top,
        line: 0,
        at: "",
        problem: "the package has no templates",
        remedy: `put them under ${baseHotFolder("<flavour>")} or ${HEAT_FOLDER}`,
      },
    ];
  const linted = new Set<string>();
  return flavours.flatMap((flavour) => {
    const own = texts(files, baseHotFolder(flavour.flavourId));
    const folder = own.size > 0 ? baseHotFolder(flavour.flavourId) : HEAT_FOLDER;
    const all = own.size > 0 ? own : texts(files, HEAT_FOLDER);
    const tops = [...all.keys()].filter((path) => /^[^/]+\.ya?ml$/.test(path));
    const [only] = tops;
    if (only === undefined || tops.length > 1)
      return [
        {
          file: folder,
          line: 0,
          at: "",
          problem: `${tops.length} templates for the flavour ${flavour.flavourId}`,
          remedy: "have exactly one YAML file in this folder itself; nested ones go into nested/",
        },
      ];
    const faults = linted.has(folder)
      ? []
      : lintHot(all, only).map(
          (fault): PackageFault => ({
            ...fault,
            file: `${folder}/${fault.file}`,
            remedy: "correct the template, and build the package again",
          }),
        );
    linted.add(folder);
    return [...faults, ...compare(flavour, all, only, folder)];
  });
}

function texts(files: PackageFiles, folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, bytes] of files)
    if (path.startsWith(`${folder}/`))
      found.set(path.slice(folder.length + 1), Buffer.from(bytes).toString("utf8"));
  return found;
}

function compare(
  flavour: FlavourFile,
  all: ReadonlyMap<string, string>,
  top: string,
  folder: string,
): PackageFault[] {
  const { bundle } = readBundle(all, top);
  const template = bundle.templates.get(top);
  if (template === undefined) return [];
  const faults: PackageFault[] = [];
  const fault = (line: number, at: string, problem: string, remedy: string): void => {
    faults.push({ file: flavour.file, line, at, problem, remedy });
  };
  const environment = bundle.environments.get(environmentFile(flavour.flavourId));
  const parameters = parametersOf(template);
  const value = (name: string): string | undefined =>
    textOf(child(environment?.root, "parameters", name)) ??
    textOf(child(parameters.get(name)?.body, "default"));
  const nfv = child(parameters.get("nfv")?.body, "default", "VDU");
  const flavorOf = (pool: string) => value(`${pool}_flavor`) ?? textOf(child(nfv, pool, "computeFlavourId"));
  const imageOf = (pool: string) => value("image") ?? textOf(child(nfv, pool, "vcImageId"));
  const groups = new Map(resourcesOf(template).map((resource) => [resource.name, resource]));
  for (const [pool, vdus] of poolsOf(flavour)) {
    const [first] = vdus;
    if (first === undefined) continue;
    const { vdu } = first;
    const nested = textOf(child(groups.get(pool)?.properties, "resource_def", "type"));
    const member = nested === undefined ? undefined : bundle.templates.get(nested);
    if (member === undefined) {
      fault(
        vdu.line,
        vdu.name,
        `${folder}/${top} has no pool ${pool}`,
        "add the pool to the templates, or take the VDU out",
      );
      continue;
    }
    const ports = resourcesOf(member).filter(({ type }) => type === "OS::Neutron::Port");
    // One with a condition is a choice of who makes the stack, not part of what the descriptor asks for.
    const volumes = resourcesOf(member).filter(
      ({ type, body }) => type === "OS::Cinder::Volume" && child(body, "condition") === undefined,
    );
    for (const { vdu: one } of vdus) {
      const points = [...flavour.nodes.values()].filter(
        (node) =>
          node.type === VDU_CP &&
          requirementsOf(node).some(({ name, target }) => name === "virtual_binding" && target === one.name),
      );
      const shown = ports
        .map(({ name }) => name.replace(/_port$/, "").replace(`${pool}_`, ""))
        .sort()
        .join(", ");
      const told = points
        .map(({ name }) => name.replace(`${one.name}_`, ""))
        .sort()
        .join(", ");
      if (shown !== told)
        fault(
          one.line,
          one.name,
          `connection points ${told || "none"}, where ${folder}/${nested} has ports ${shown || "none"}`,
          "make them the same",
        );
      const storages = requirementsOf(one).filter(({ name }) => name === "virtual_storage").length;
      if (storages !== volumes.length)
        fault(
          one.line,
          one.name,
          `${storages} storages, where ${folder}/${nested} has ${volumes.length} volumes`,
          "make them the same",
        );
      const flavor = child(
        one.body,
        "capabilities",
        "virtual_compute",
        "properties",
        "requested_additional_capabilities",
        "properties",
        "requested_additional_capability_name",
      );
      if (flavor !== undefined && textOf(flavor) !== flavorOf(pool))
        fault(
          flavor.line,
          `${one.name}.requested_additional_capabilities`,
          `flavor ${textOf(flavor) ?? ""}, where the templates use ${flavorOf(pool) ?? "none"}`,
          "make them the same",
        );
      const image =
        propertyOf(one, "sw_image_data", "name") ??
        child(one.body, "artifacts", "sw_image", "properties", "name");
      if (image !== undefined && textOf(image) !== imageOf(pool))
        fault(
          image.line,
          `${one.name}.sw_image`,
          `image ${textOf(image) ?? ""}, where the templates boot ${imageOf(pool) ?? "none"}`,
          "make them the same",
        );
    }
    faults.push(...sizeFaults(flavour, pool, vdus, value, rangeOf(parameters.get(`${pool}_count`)?.body)));
  }
  return faults;
}

function rangeOf(body: Parameters<typeof child>[0]): readonly [number, number] {
  for (const constraint of child(body, "constraints")?.kind === "list"
    ? (child(body, "constraints") as { items: readonly Parameters<typeof child>[0][] }).items
    : []) {
    const range = child(constraint, "range");
    if (range !== undefined)
      return [
        Number(textOf(child(range, "min")) ?? 0),
        Number(textOf(child(range, "max")) ?? Number.POSITIVE_INFINITY),
      ];
  }
  return [0, Number.POSITIVE_INFINITY];
}

/** VDUs by the pool of the templates they are members of: a cell says so in its boot data, else its name is the pool's. */
function poolsOf(flavour: FlavourFile): Map<string, VduScaling[]> {
  const pools = new Map<string, VduScaling[]>();
  for (const scaling of scalingOf(flavour).values()) {
    const { vdu } = scaling;
    const pool = textOf(propertyOf(vdu, "boot_data", "kvp_data", "data", "pool")) ?? vdu.name;
    pools.set(pool, [...(pools.get(pool) ?? []), scaling]);
  }
  return pools;
}

function sizeFaults(
  { file }: FlavourFile,
  pool: string,
  vdus: readonly VduScaling[],
  value: (name: string) => string | undefined,
  [least, most]: readonly [number, number],
): PackageFault[] {
  const [first] = vdus;
  if (first === undefined) return [];
  const faults: PackageFault[] = [];
  const map = (value(`${pool}_cell_map`) ?? "").split(",");
  const share = Number(value(`${pool}_members_per_share`) ?? 1);
  const guarded = value("placement") !== "unguarded";
  const { aspect, vdu } = first;
  const line = aspect?.line ?? vdu.line;
  const at = aspect?.name ?? vdu.name;
  first.counts.forEach((_, level) => {
    const size = vdus.reduce((total, { counts }) => total + (counts[level] ?? 0), 0);
    const fault = (problem: string, remedy: string): void => {
      faults.push({ file, line, at, problem: `scale level ${level}: ${problem}`, remedy });
    };
    const cells = map.slice(0, size);
    if (size < least || size > most)
      fault(`${size} members, where the templates allow ${least} to ${most}`, "change deltas or the range");
    else if (size > map.length)
      fault(`${size} members, and a cell map for ${map.length}`, `make ${pool}_cell_map longer`);
    else if (guarded && new Set(cells).size > 1 && (size + 1) % share !== 0)
      fault(
        `${size} members are not aligned: the templates refuse them`,
        `sizes are one less than a multiple of ${share}`,
      );
    else if (vdus.length > 1)
      for (const [cell, { counts, vdu: one }] of vdus.entries()) {
        const mapped = cells.filter((of) => Number(of) === cell).length;
        if ((counts[level] ?? 0) !== mapped)
          fault(
            `${counts[level] ?? 0} instances of ${one.name}, where the cell map puts ${mapped} members into cell ${cell}`,
            `make initial delta and deltas follow ${pool}_cell_map`,
          );
      }
  });
  return faults;
}

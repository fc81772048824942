import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { MODEL_FOLDER, type VnfModel } from "../model/model.ts";
import { type Fault, type Located, readYaml } from "../model/yaml-file.ts";
import { isAligned } from "../placement/steps.ts";
import { toleranceOf } from "../plan/pool-plan.ts";

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,30}$/, "small letters, digits, hyphens and underscores");
const text = z.string().min(1).max(500);
const size = z.int().min(1).max(1000);
const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "a UUID in small letters");

/** Versions of SOL 001 that descriptors are made for. */
export const PROFILES = ["sol001-4", "sol001-2.6.1"] as const;
export type Profile = (typeof PROFILES)[number];

const vnfdFile = z.strictObject({
  version: z.literal(1),
  product: z.strictObject({
    provider: text,
    name: text,
    description: text,
    software_version: z.string().regex(/^\d+\.\d+\.\d+$/, "write it as 1.2.3"),
    descriptor_version: text,
    released: z.iso.datetime(),
    vnfm: z.array(z.string().regex(/^etsivnfm:v\d{1,2}\.\d{1,2}\.\d{1,2}$|^\d+:[a-zA-Z0-9.-]+$/)).min(1),
  }),
  descriptors: z.record(z.enum(PROFILES), uuid),
  flavours: z
    .array(
      z.strictObject({
        name,
        description: text,
        unguarded: z.boolean().default(false),
        availability_zone: text.optional(),
        flavor: text.optional(),
        pools: z.record(name, z.strictObject({ initial: size, step: size, max: size })),
        default_level: name,
        levels: z.array(z.strictObject({ name, description: text, pools: z.record(name, size) })).min(1),
      }),
    )
    .min(1),
  connection_points: z.array(
    z.strictObject({ name, network: name, vdus: z.array(name).min(1), purpose: text }),
  ),
  indicators: z.array(
    z.discriminatedUnion("of", [
      z.strictObject({ name, purpose: text, pool: name, metric: text, of: z.enum(["sum", "max"]) }),
      z.strictObject({ name, purpose: text, of: z.literal("ready") }),
    ]),
  ),
  coordination: z.array(
    z.strictObject({
      name,
      purpose: text,
      operations: z.array(z.enum(["instantiate", "scale", "heal", "terminate"])).min(1),
    }),
  ),
  heal_causes: z.array(name).min(1),
  graceful_termination: z.int().min(0).max(86_400).describe("s"),
});

/** What descriptors say beyond VDUs, networks and ports. */
export type VnfdFacts = z.output<typeof vnfdFile>;
export type FlavourFacts = VnfdFacts["flavours"][number];
export type Indicator = VnfdFacts["indicators"][number];

export const VNFD_FILE = "vnfd.yaml";

export type VnfdFactsReading =
  | { readonly kind: "facts"; readonly facts: VnfdFacts }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] };

/** Reads vnfd.yaml of a model's folder and checks it against the model. */
export function readVnfdFacts(model: VnfModel, folder: string = MODEL_FOLDER): VnfdFactsReading {
  const file = join(folder, VNFD_FILE);
  try {
    return vnfdFactsOf(readFileSync(file, "utf8"), model, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const problem = code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`;
    return { kind: "bad", faults: [{ file, line: 0, at: "", problem }] };
  }
}

export function vnfdFactsOf(source: string, model: VnfModel, file = VNFD_FILE): VnfdFactsReading {
  const read = readYaml(source, file, vnfdFile);
  if (read.kind === "bad") return read;
  const faults = [...checkFlavours(read, model), ...checkPoints(read, model)];
  return faults.length > 0 ? { kind: "bad", faults } : { kind: "facts", facts: read.value };
}

function checkFlavours({ value, fault }: Located<VnfdFacts>, model: VnfModel): Fault[] {
  const faults: Fault[] = [];
  const vdus = new Map(model.vdus.map((vdu) => [vdu.name, vdu]));
  const names = new Set<string>();
  value.flavours.forEach((flavour, at) => {
    const place = ["flavours", at] as const;
    if (names.has(flavour.name))
      faults.push(fault([...place, "name"], `there are two flavours ${flavour.name}`));
    names.add(flavour.name);
    for (const missing of model.vdus.filter(
      (vdu) => vdu.pool.default > 0 && !Object.hasOwn(flavour.pools, vdu.name),
    ))
      faults.push(fault([...place, "pools"], `there is no pool ${missing.name}`));
    for (const [pool, { initial, step, max }] of Object.entries(flavour.pools)) {
      const here = [...place, "pools", pool];
      const vdu = vdus.get(pool);
      if (vdu === undefined) {
        faults.push(fault(here, `the model has no VDU ${pool}`));
        continue;
      }
      if (initial < vdu.pool.min || max > vdu.pool.max || max < initial)
        faults.push(fault(here, `${initial} to ${max}: the model allows ${vdu.pool.min} to ${vdu.pool.max}`));
      else if ((max - initial) % step !== 0)
        faults.push(fault(here, `steps of ${step} do not lead from ${initial} to ${max}`));
      else if (!flavour.unguarded)
        for (let from = initial; from < max; from += step)
          if (!isAligned(toleranceOf({ vdu, size: max }), from, from + step))
            faults.push(
              fault(here, `the step from ${from} to ${from + step} is not aligned: see tidewater vnf plan`),
            );
    }
    if (!flavour.levels.some((level) => level.name === flavour.default_level))
      faults.push(fault([...place, "default_level"], `there is no level ${flavour.default_level}`));
    flavour.levels.forEach((level, number) => {
      for (const [pool, { initial, step, max }] of Object.entries(flavour.pools)) {
        const wanted = Object.hasOwn(level.pools, pool) ? level.pools[pool] : undefined;
        if (wanted === undefined || wanted < initial || wanted > max || (wanted - initial) % step !== 0)
          faults.push(
            fault(
              [...place, "levels", number, "pools", pool],
              `${pool} ${wanted ?? "is missing"}: not reached from ${initial} in steps of ${step} up to ${max}`,
            ),
          );
      }
      for (const pool of Object.keys(level.pools))
        if (!Object.hasOwn(flavour.pools, pool))
          faults.push(fault([...place, "levels", number, "pools", pool], `the flavour has no pool ${pool}`));
    });
  });
  return faults;
}

function checkPoints({ value, fault }: Located<VnfdFacts>, model: VnfModel): Fault[] {
  const faults: Fault[] = [];
  value.connection_points.forEach(({ name: point, network, vdus }, at) => {
    if (model.networks.some(({ name }) => name === point))
      faults.push(fault(["connection_points", at, "name"], `${point} is the name of a network`));
    for (const name of vdus)
      if (!model.vdus.some((vdu) => vdu.name === name && vdu.networks.includes(network)))
        faults.push(fault(["connection_points", at], `no VDU ${name} on a network ${network}`));
  });
  value.indicators.forEach((indicator, at) => {
    if (indicator.of !== "ready" && !model.vdus.some(({ name }) => name === indicator.pool))
      faults.push(fault(["indicators", at, "pool"], `the model has no VDU ${indicator.pool}`));
  });
  return faults;
}

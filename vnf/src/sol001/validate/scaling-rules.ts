import { child, entries, type HotNode, items, textOf } from "../../checks/hot/hot-node.ts";
import {
  type DescriptorBundle,
  type FlavourFile,
  integerOf,
  policiesOf,
  propertyOf,
  type Template,
  targetsOf,
  VDU,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";

interface Aspect {
  readonly name: string;
  readonly line: number;
  readonly maxScaleLevel: number;
  readonly stepDeltas: readonly string[];
  readonly stepLine: number;
}

/** Instances of a VDU at each scale level of its aspect. */
export interface VduScaling {
  readonly vdu: Template;
  readonly aspect: Aspect | undefined;
  readonly counts: readonly number[];
}

/** Scaling aspects, deltas, levels and profiles agree with each other (SOL 001 clauses 6.10 and 8). */
export function scalingRules({ flavours }: DescriptorBundle): PackageFault[] {
  return flavours.flatMap((flavour) => {
    const faults: PackageFault[] = [];
    const scaled = scalingOf(flavour, faults);
    return [...faults, ...levelFaults(flavour, scaled), ...profileFaults(flavour, scaled)];
  });
}

/** How each VDU is scaled; what does not fit goes into `faults`. */
export function scalingOf(flavour: FlavourFile, faults: PackageFault[] = []): Map<string, VduScaling> {
  const { file, nodes } = flavour;
  const add = (line: number, at: string, problem: string, remedy: string): void => {
    faults.push({ file, line, at, problem, remedy });
  };
  const aspects = aspectsOf(flavour);
  for (const { name, maxScaleLevel, stepDeltas, stepLine } of aspects.values())
    if (stepDeltas.length !== 1 && stepDeltas.length !== maxScaleLevel)
      add(
        stepLine,
        `${name}.step_deltas`,
        `${stepDeltas.length} deltas for ${maxScaleLevel} steps`,
        `name one for all steps, or one for each of the ${maxScaleLevel}`,
      );
  const initial = new Map<string, number>();
  for (const policy of policiesOf(flavour, "VduInitialDelta"))
    for (const target of targetsOf(policy))
      initial.set(target, integerOf(propertyOf(policy, "initial_delta", "number_of_instances")) ?? 0);
  const scaling = new Map<string, VduScaling>();
  const used = new Set<string>();
  for (const policy of policiesOf(flavour, "VduScalingAspectDeltas")) {
    const aspectNode = propertyOf(policy, "aspect");
    const aspect = aspects.get(textOf(aspectNode) ?? "");
    if (aspect === undefined) {
      add(
        aspectNode?.line ?? policy.line,
        `${policy.name}.aspect`,
        `there is no scaling aspect ${textOf(aspectNode) ?? ""}`,
        `the aspects are ${[...aspects.keys()].join(", ") || "none"}`,
      );
      continue;
    }
    used.add(aspect.name);
    const deltas = propertyOf(policy, "deltas");
    const missing = aspect.stepDeltas.filter((delta) => child(deltas, delta) === undefined);
    if (missing.length > 0)
      add(
        deltas?.line ?? policy.line,
        `${policy.name}.deltas`,
        `the aspect ${aspect.name} has steps by ${missing.join(", ")}, which are not here`,
        `add ${missing.join(", ")}, or correct step_deltas`,
      );
    for (const { key, line } of entries(deltas))
      if (!aspect.stepDeltas.includes(key))
        add(
          line,
          `${policy.name}.deltas.${key}`,
          `the aspect ${aspect.name} has no step by it`,
          `its steps are ${aspect.stepDeltas.join(", ")}`,
        );
    for (const target of targetsOf(policy)) {
      const vdu = nodes.get(target);
      if (vdu !== undefined)
        scaling.set(target, { vdu, aspect, counts: countsOf(aspect, deltas, initial.get(target) ?? 0) });
    }
  }
  for (const { name, line } of aspects.values())
    if (!used.has(name))
      add(line, name, "the aspect scales no VDU", "add VduScalingAspectDeltas for it, or take it out");
  for (const vdu of nodes.values()) {
    if (vdu.type !== VDU) continue;
    if (!initial.has(vdu.name))
      add(vdu.line, vdu.name, "has no VduInitialDelta", "say how many instances there are at scale level 0");
    else if (!scaling.has(vdu.name))
      scaling.set(vdu.name, { vdu, aspect: undefined, counts: [initial.get(vdu.name) ?? 0] });
  }
  return scaling;
}

function aspectsOf(flavour: FlavourFile): Map<string, Aspect> {
  const aspects = new Map<string, Aspect>();
  for (const policy of policiesOf(flavour, "ScalingAspects"))
    for (const { key, line, value } of entries(propertyOf(policy, "aspects"))) {
      const steps = child(value, "step_deltas");
      aspects.set(key, {
        name: key,
        line,
        maxScaleLevel: integerOf(child(value, "max_scale_level")) ?? 0,
        stepDeltas: items(steps).map((item) => textOf(item) ?? ""),
        stepLine: steps?.line ?? line,
      });
    }
  return aspects;
}

function countsOf(aspect: Aspect, deltas: HotNode | undefined, initial: number): number[] {
  const counts = [initial];
  // A level beyond any pool says nothing that is of use.
  for (let level = 0; level < Math.min(aspect.maxScaleLevel, 10_000); level++) {
    const delta = aspect.stepDeltas[aspect.stepDeltas.length === 1 ? 0 : level] ?? "";
    counts.push((counts.at(-1) ?? 0) + (integerOf(child(deltas, delta, "number_of_instances")) ?? 0));
  }
  return counts;
}

function levelFaults(flavour: FlavourFile, scaled: ReadonlyMap<string, VduScaling>): PackageFault[] {
  const { file } = flavour;
  const faults: PackageFault[] = [];
  const add = (line: number, at: string, problem: string, remedy: string): void => {
    faults.push({ file, line, at, problem, remedy });
  };
  const aspects = aspectsOf(flavour);
  const levels = new Map<string, ReadonlyMap<string, number>>();
  for (const policy of policiesOf(flavour, "InstantiationLevels")) {
    for (const { key, value } of entries(propertyOf(policy, "levels"))) {
      const info = new Map<string, number>();
      for (const { key: name, line, value: scale } of entries(child(value, "scale_info"))) {
        const aspect = aspects.get(name);
        const level = integerOf(child(scale, "scale_level")) ?? 0;
        const at = `${policy.name}.levels.${key}.${name}`;
        if (aspect === undefined)
          add(
            line,
            at,
            `there is no scaling aspect ${name}`,
            `the aspects are ${[...aspects.keys()].join(", ") || "none"}`,
          );
        else if (level > aspect.maxScaleLevel)
          add(
            child(scale, "scale_level")?.line ?? line,
            at,
            `scale level ${level} is beyond max_scale_level ${aspect.maxScaleLevel}`,
            "lower it, or raise max_scale_level",
          );
        else info.set(name, level);
      }
      levels.set(key, info);
    }
    const chosen = propertyOf(policy, "default_level");
    const name = textOf(chosen);
    if (name === undefined && levels.size > 1)
      add(
        policy.line,
        `${policy.name}.default_level`,
        "is missing, with several levels",
        "say which level is meant when none is asked for",
      );
    if (name !== undefined && !levels.has(name))
      add(
        chosen?.line ?? policy.line,
        `${policy.name}.default_level`,
        `there is no level ${name}`,
        `the levels are ${[...levels.keys()].join(", ")}`,
      );
  }
  const covered = new Set<string>();
  for (const policy of policiesOf(flavour, "VduInstantiationLevels"))
    for (const target of targetsOf(policy)) {
      covered.add(target);
      const own = propertyOf(policy, "levels");
      for (const [level, info] of levels) {
        const given = child(own, level, "number_of_instances");
        const { counts, aspect } = scaled.get(target) ?? { counts: [], aspect: undefined };
        const expected = counts[aspect === undefined ? 0 : (info.get(aspect.name) ?? 0)];
        if (given === undefined)
          add(
            own?.line ?? policy.line,
            `${policy.name}.levels`,
            `the level ${level} is missing`,
            "say how many instances there are at it",
          );
        else if (expected !== undefined && integerOf(given) !== expected)
          add(
            given.line,
            `${policy.name}.levels.${level}`,
            `${textOf(given) ?? ""} instances, where the scale level of ${target} has ${expected}`,
            `write ${expected}, or change the scale level`,
          );
      }
      for (const { key, line } of entries(own))
        if (!levels.has(key))
          add(
            line,
            `${policy.name}.levels.${key}`,
            `there is no level ${key}`,
            `the levels are ${[...levels.keys()].join(", ")}`,
          );
    }
  for (const { vdu } of scaled.values())
    if (levels.size > 0 && !covered.has(vdu.name))
      add(
        vdu.line,
        vdu.name,
        "has no VduInstantiationLevels",
        "say how many instances there are at each level",
      );
  return faults;
}

function profileFaults({ file }: FlavourFile, scaled: ReadonlyMap<string, VduScaling>): PackageFault[] {
  return [...scaled.values()].flatMap(({ vdu, counts }) => {
    const least = propertyOf(vdu, "vdu_profile", "min_number_of_instances");
    const most = propertyOf(vdu, "vdu_profile", "max_number_of_instances");
    const faults: PackageFault[] = [];
    const [min, max] = [integerOf(least), integerOf(most)];
    if (min !== undefined && min > Math.min(...counts))
      faults.push({
        file,
        line: least?.line ?? vdu.line,
        at: `${vdu.name}.min_number_of_instances`,
        problem: `${min} is more than the ${Math.min(...counts)} at the lowest scale level`,
        remedy: `write ${Math.min(...counts)}, or raise the initial delta`,
      });
    if (max !== undefined && max < Math.max(...counts))
      faults.push({
        file,
        line: most?.line ?? vdu.line,
        at: `${vdu.name}.max_number_of_instances`,
        problem: `${max} is fewer than the ${Math.max(...counts)} at the highest scale level`,
        remedy: `write ${Math.max(...counts)}, or lower max_scale_level`,
      });
    return faults;
  });
}

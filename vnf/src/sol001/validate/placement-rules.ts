import { child, items, textOf } from "../../checks/hot/hot-node.ts";
import {
  type DescriptorBundle,
  integerOf,
  policiesOf,
  propertyOf,
  type Template,
  targetsOf,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";
import { scalingOf } from "./scaling-rules.ts";

/** N+k: every cell apart, maintenance that leaves somebody, and no impact greater than the group. */
export function placementRules({ flavours }: DescriptorBundle): PackageFault[] {
  return flavours.flatMap((flavour) => {
    const faults: PackageFault[] = [];
    const apart = new Set(
      policiesOf(flavour, "AntiAffinityRule")
        .filter((rule) => textOf(propertyOf(rule, "scope")) === "nfvi_node")
        .flatMap(targetsOf),
    );
    for (const { vdu, counts } of scalingOf(flavour).values()) {
      const info = propertyOf(vdu, "vdu_profile", "nfvi_maintenance_info");
      if (info === undefined) continue;
      if (!apart.has(vdu.name) && Math.max(...counts) > 1)
        faults.push({
          file: vdu.file,
          line: vdu.line,
          at: vdu.name,
          problem: "limits how many of it may be impacted, but no rule keeps them on different hosts",
          remedy: "add an AntiAffinityRule with scope nfvi_node for it",
        });
      faults.push(...maintenanceFaults(vdu, info));
    }
    return faults;
  });
}

function maintenanceFaults(vdu: Template, info: NonNullable<ReturnType<typeof propertyOf>>): PackageFault[] {
  const faults: PackageFault[] = [];
  const impacted = items(child(info, "max_number_of_impacted_instances"));
  const preserved = items(child(info, "min_number_of_preserved_instances"));
  const of = (item: (typeof impacted)[number], key: string) => integerOf(child(item, key));
  for (const item of impacted) {
    const size = of(item, "group_size");
    const most = of(item, "max_number_of_impacted_instances");
    if (size !== undefined && most !== undefined && size > 1 && most >= size)
      faults.push({
        file: vdu.file,
        line: child(item, "max_number_of_impacted_instances")?.line ?? item.line,
        at: `${vdu.name}.nfvi_maintenance_info`,
        problem: `${most} of a group of ${size} may be impacted: that is all of it`,
        remedy: `write ${size - 1} at most`,
      });
  }
  for (const item of preserved) {
    const size = of(item, "group_size");
    const least = of(item, "min_number_of_preserved_instances");
    const most = impacted.find((other) => of(other, "group_size") === size);
    const impact = most === undefined ? undefined : of(most, "max_number_of_impacted_instances");
    if (size !== undefined && least !== undefined && impact !== undefined && least + impact > size)
      faults.push({
        file: vdu.file,
        line: child(item, "min_number_of_preserved_instances")?.line ?? item.line,
        at: `${vdu.name}.nfvi_maintenance_info`,
        problem: `${least} preserved and ${impact} impacted are more than the group of ${size}`,
        remedy: `write ${size - impact} at most`,
      });
  }
  return faults;
}

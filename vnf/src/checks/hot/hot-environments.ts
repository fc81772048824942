import type { Fault } from "../../model/yaml-file.ts";
import { type HotBundle, parametersOf } from "./hot-bundle.ts";
import { child, entries, textOf, walk } from "./hot-node.ts";
import { topResources } from "./hot-unused.ts";
import { wrongValue } from "./parameter-value.ts";

const SECTIONS = new Set([
  "parameters",
  "parameter_defaults",
  "resource_registry",
  "encrypted_param_names",
  "event_sinks",
  "parameter_merge_strategies",
]);
const HOOKS = new Set([
  "pre-create",
  "pre-update",
  "pre-delete",
  "post-create",
  "post-update",
  "post-delete",
]);

/** Environments set parameters that exist to values that fit, and hooks on resources that exist. */
export function hotEnvironments(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  const top = bundle.templates.get(bundle.top);
  if (top === undefined) return faults;
  const parameters = parametersOf(top);
  const resources = topResources(bundle);
  for (const { file, root } of bundle.environments.values()) {
    for (const { key, line } of entries(root))
      if (!SECTIONS.has(key)) faults.push({ file, line, at: key, problem: "no section of an environment" });
    for (const section of ["parameters", "parameter_defaults"])
      for (const { key, line, value } of entries(child(root, section))) {
        const parameter = parameters.get(key);
        const problem =
          parameter === undefined ? `${bundle.top} has no such parameter` : wrongValue(parameter.body, value);
        if (problem !== undefined) faults.push({ file, line, at: `${section}.${key}`, problem });
      }
    const registry = child(root, "resource_registry", "resources");
    for (const { key, line } of entries(registry))
      if (!resources.has(key) && !key.includes("*"))
        faults.push({
          file,
          line,
          at: `resource_registry.resources.${key}`,
          problem: `${bundle.top} has no such resource`,
        });
    if (registry === undefined) continue;
    for (const node of walk(registry))
      for (const { key, line, value } of entries(node))
        for (const hook of key === "hooks" ? (value.kind === "list" ? value.items : [value]) : [])
          if (!HOOKS.has(textOf(hook) ?? ""))
            faults.push({ file, line, at: "hooks", problem: `no hook: "${textOf(hook) ?? ""}"` });
  }
  return faults;
}

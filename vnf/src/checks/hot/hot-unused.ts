import type { Fault } from "../../model/yaml-file.ts";
import { callOf, type HotBundle, isNested, parametersOf, resolvePath, resourcesOf } from "./hot-bundle.ts";
import { child, entries, textOf, walk } from "./hot-node.ts";

/** Parameters, conditions and files that nothing uses. */
export function hotUnused(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  const used = new Set([bundle.top]);
  for (const template of bundle.templates.values()) {
    const { file, root } = template;
    const parameters = new Set<string>();
    const words = new Set<string>();
    for (const node of walk(root)) {
      if (node.kind === "scalar") words.add(node.text);
      const call = callOf(node);
      if (call === undefined) continue;
      const subject = textOf(call.argument.kind === "list" ? call.argument.items[0] : call.argument) ?? "";
      if (call.name === "get_param") parameters.add(subject);
      if (call.name === "get_file") used.add(resolvePath(file, subject));
    }
    for (const node of walk(root)) {
      const type = textOf(child(node, "type"));
      if (type !== undefined && isNested(type)) used.add(resolvePath(file, type));
    }
    for (const [name, { line }] of parametersOf(template))
      if (!parameters.has(name))
        faults.push({ file, line, at: `parameters.${name}`, problem: "nothing uses it" });
    for (const { key, line } of entries(child(root, "conditions")))
      if (!words.has(key)) faults.push({ file, line, at: `conditions.${key}`, problem: "nothing uses it" });
  }
  for (const file of bundle.texts.keys())
    if (/^(?:nested|user-data)\//.test(file) && !used.has(file))
      faults.push({ file, line: 0, at: "", problem: "no template uses this file" });
  return faults;
}

/** Names of the resources of the template a stack is made from. */
export function topResources(bundle: HotBundle): ReadonlySet<string> {
  const top = bundle.templates.get(bundle.top);
  return new Set(top === undefined ? [] : resourcesOf(top).map(({ name }) => name));
}

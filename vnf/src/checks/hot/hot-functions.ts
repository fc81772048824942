import type { Fault } from "../../model/yaml-file.ts";
import { callOf, type HotBundle } from "./hot-bundle.ts";
import { child, entries, type HotNode, walk } from "./hot-node.ts";

/** Heat knows no others in the section conditions. */
const IN_CONDITIONS = new Set(["equals", "get_param", "not", "and", "or", "yaql", "contains"]);

/** Functions have the form of argument they need; what looks like a function is one. */
export function hotFunctions(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const { file, root } of bundle.templates.values()) {
    for (const { key, value } of entries(child(root, "conditions")))
      for (const node of walk(value)) {
        const call = callOf(node);
        if (call !== undefined && !IN_CONDITIONS.has(call.name))
          faults.push({
            file,
            line: call.line,
            at: `conditions.${key}`,
            problem: `${call.name} is not known in conditions`,
          });
      }
    for (const node of walk(root)) {
      const only = node.kind === "map" && node.entries.length === 1 ? node.entries[0] : undefined;
      if (only !== undefined && /^(?:get_|str_|list_|Fn::)/.test(only.key) && callOf(node) === undefined) {
        faults.push({ file, line: only.line, at: only.key, problem: "no function of this version of HOT" });
        continue;
      }
      const call = callOf(node);
      if (call === undefined) continue;
      const problem = wrongArgument(call.name, call.argument);
      if (problem !== undefined) faults.push({ file, line: call.line, at: call.name, problem });
    }
  }
  return faults;
}

function wrongArgument(name: string, argument: HotNode): string | undefined {
  const count = argument.kind === "list" ? argument.items.length : undefined;
  switch (name) {
    case "if":
      return count === 3 ? undefined : "takes a condition and two values";
    case "equals":
      return count === 2 ? undefined : "takes two values";
    case "and":
    case "or":
      return count !== undefined && count >= 2 ? undefined : "takes two conditions or more";
    case "get_attr":
      return count !== undefined && count >= 2 ? undefined : "takes a resource and an attribute";
    case "list_join":
      return count !== undefined && count >= 2 ? undefined : "takes a delimiter and lists";
    case "yaql":
      return child(argument, "expression") !== undefined && child(argument, "data") !== undefined
        ? undefined
        : "takes expression and data";
    case "repeat":
      return child(argument, "for_each") !== undefined && child(argument, "template") !== undefined
        ? undefined
        : "takes for_each and template";
    default:
      return undefined;
  }
}

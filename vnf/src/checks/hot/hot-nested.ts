import type { Fault } from "../../model/yaml-file.ts";
import { callOf, definitionsOf, type HotBundle, nestedOf, parametersOf } from "./hot-bundle.ts";
import { child, entries, walk } from "./hot-node.ts";
import { wrongValue } from "./parameter-value.ts";

/** What a template is given by its caller: its parameters and no others, all that have no default, literals that fit. */
export function hotNested(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const template of bundle.templates.values())
    for (const { name, line, type, properties } of definitionsOf(template)) {
      const nested = nestedOf(bundle, template, type);
      if (nested === undefined) continue;
      const { file } = template;
      const at = `resources.${name}`;
      const parameters = parametersOf(nested);
      for (const { key, line: keyLine, value } of entries(properties)) {
        const parameter = parameters.get(key);
        if (parameter === undefined) {
          faults.push({ file, line: keyLine, at, problem: `${nested.file} has no parameter "${key}"` });
          continue;
        }
        const isLiteral = [...walk(value)].every((node) => callOf(node) === undefined);
        const wrong =
          isLiteral && !/%index%/.test(value.kind === "scalar" ? value.text : "")
            ? wrongValue(parameter.body, value)
            : undefined;
        if (wrong !== undefined) faults.push({ file, line: keyLine, at: `${at}.${key}`, problem: wrong });
      }
      for (const [key, { body }] of parameters)
        if (child(body, "default") === undefined && child(properties, key) === undefined)
          faults.push({ file, line, at, problem: `${nested.file} needs "${key}"` });
    }
  return faults;
}

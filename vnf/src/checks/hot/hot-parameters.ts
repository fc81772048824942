import type { Fault } from "../../model/yaml-file.ts";
import type { HotBundle } from "./hot-bundle.ts";
import { child, entries, items, textOf } from "./hot-node.ts";
import { PARAMETER_TYPES, wrongValue } from "./parameter-value.ts";

const SECTIONS = new Set([
  "heat_template_version",
  "description",
  "parameter_groups",
  "parameters",
  "resources",
  "outputs",
  "conditions",
]);
const KEYS = new Set([
  "type",
  "label",
  "description",
  "default",
  "hidden",
  "constraints",
  "immutable",
  "tags",
]);
const CONSTRAINTS = new Set([
  "length",
  "range",
  "modulo",
  "allowed_values",
  "allowed_pattern",
  "custom_constraint",
  "description",
]);
const VERSION = "2021-04-16";

/** Version and sections of a template; parameters with a known type, known constraints and a default that satisfies them; groups of known parameters. */
export function hotParameters(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const { file, root } of bundle.templates.values()) {
    const version = child(root, "heat_template_version");
    if (textOf(version) !== VERSION)
      faults.push({
        file,
        line: version?.line ?? 1,
        at: "heat_template_version",
        problem: `write ${VERSION}`,
      });
    for (const { key, line } of entries(root))
      if (!SECTIONS.has(key)) faults.push({ file, line, at: key, problem: "no section of a template" });
    for (const { key: name, line, value: body } of entries(child(root, "parameters"))) {
      const at = `parameters.${name}`;
      const type = textOf(child(body, "type"));
      if (type === undefined || !PARAMETER_TYPES.has(type))
        faults.push({ file, line, at, problem: `type is none of ${[...PARAMETER_TYPES].join(", ")}` });
      for (const one of entries(body))
        if (!KEYS.has(one.key)) faults.push({ file, line: one.line, at, problem: `"${one.key}" is unknown` });
      for (const constraint of items(child(body, "constraints")))
        for (const one of entries(constraint))
          if (!CONSTRAINTS.has(one.key))
            faults.push({ file, line: one.line, at, problem: `constraint "${one.key}" is unknown` });
      const usual = child(body, "default");
      const wrong = usual === undefined || isOwnChoice(usual) ? undefined : wrongValue(body, usual);
      if (usual !== undefined && wrong !== undefined)
        faults.push({ file, line: usual.line, at: `${at}.default`, problem: wrong });
    }
    for (const group of items(child(root, "parameter_groups")))
      for (const name of items(child(group, "parameters")))
        if (child(root, "parameters", textOf(name) ?? "") === undefined)
          faults.push({
            file,
            line: name.line,
            at: "parameter_groups",
            problem: `there is no parameter "${textOf(name)}"`,
          });
  }
  return faults;

  function isOwnChoice(usual: ReturnType<typeof child>): boolean {
    return textOf(usual) === "";
  }
}

import type { Fault } from "../../model/yaml-file.ts";
import { callOf, type HotBundle, resolvePath } from "./hot-bundle.ts";
import { child, entries, textOf, walk } from "./hot-node.ts";

/** str_replace: every parameter is used in its text, every $name and %name% of the text is a parameter. */
export function hotStrReplace(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const { file, root } of bundle.templates.values())
    for (const node of walk(root)) {
      const call = callOf(node);
      if (call === undefined || !call.name.startsWith("str_replace")) continue;
      const template = child(call.argument, "template");
      const params = child(call.argument, "params");
      if (template === undefined || params === undefined) {
        faults.push({ file, line: call.line, at: call.name, problem: "needs template and params" });
        continue;
      }
      const inner = callOf(template);
      const path = inner?.name === "get_file" ? resolvePath(file, textOf(inner.argument) ?? "") : undefined;
      const text = path === undefined ? textOf(template) : bundle.texts.get(path);
      if (text === undefined) continue;
      const names = entries(params).map(({ key }) => key);
      for (const { key, line } of entries(params))
        if (!text.includes(key))
          faults.push({ file, line, at: call.name, problem: `"${key}" does not occur in the text` });
      for (const match of text.matchAll(/\$[a-z][a-z0-9_]*|%[a-z]+%/g))
        if (!names.includes(match[0])) {
          const line = text.slice(0, match.index).split("\n").length;
          faults.push({
            file: path ?? file,
            line: path === undefined ? template.line : line,
            at: call.name,
            problem: `nobody fills in "${match[0]}"`,
          });
        }
    }
  return faults;
}

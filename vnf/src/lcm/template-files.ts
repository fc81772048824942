import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { load } from "js-yaml";
import { entries, type HotNode, readHot, textOf, walk } from "../checks/hot/hot-node.ts";
import type { Fault } from "../model/yaml-file.ts";

/** A template with all it refers to, as Heat takes it: files under the names by which they are referred to. */
export interface TemplateFiles {
  readonly kind: "template";
  readonly root: HotNode;
  readonly template: unknown;
  readonly files: ReadonlyMap<string, string>;
}

export type TemplateReading = TemplateFiles | { readonly kind: "bad"; readonly faults: readonly Fault[] };

/** Reads a template and what it names by `type: x.yaml` and get_file, however deep. */
export function readTemplate(path: string): TemplateReading {
  const faults: Fault[] = [];
  const files = new Map<string, string>();
  const pathOf = new Map<string, string>();
  const read = (file: string, from: string, line: number): string | undefined => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const problem = code === "ENOENT" ? `there is no file ${file}` : `${file} cannot be read: ${code}`;
      faults.push({ file: from, line, at: "", problem });
      return undefined;
    }
  };
  const visit = (file: string, text: string): HotNode | undefined => {
    const reading = readHot(text, file);
    if (reading.kind === "bad") {
      faults.push(reading.fault);
      return undefined;
    }
    for (const { name, line } of referencesIn(reading.root)) {
      const target = normalize(join(dirname(file), name));
      const known = pathOf.get(name);
      if (known !== undefined) {
        // Heat has one name space of files for all templates of a stack.
        if (known !== target)
          faults.push({ file, line, at: "", problem: `${name} means another file here than in ${known}` });
        continue;
      }
      const found = read(target, file, line);
      if (found === undefined) continue;
      pathOf.set(name, target);
      files.set(name, found);
      if (/\.ya?ml$/.test(name)) visit(target, found);
    }
    return reading.root;
  };
  const text = read(path, path, 0);
  const root = text === undefined ? undefined : visit(path, text);
  if (root === undefined || text === undefined || faults.length > 0) return { kind: "bad", faults };
  return { kind: "template", root, template: load(text), files };
}

function referencesIn(root: HotNode): { name: string; line: number }[] {
  const found: { name: string; line: number }[] = [];
  for (const node of walk(root))
    for (const { key, value } of entries(node)) {
      const name = textOf(value);
      if (name === undefined) continue;
      if (key === "get_file" || (key === "type" && /\.ya?ml$/.test(name)))
        found.push({ name, line: value.line });
    }
  return found;
}

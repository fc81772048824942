import type { Fault } from "../../model/yaml-file.ts";
import type { HotBundle } from "./hot-bundle.ts";
import { entries, walk } from "./hot-node.ts";

// What YAML 1.1, which Heat reads, takes for something else than what is written.
const WORD = /^(?:y|n|yes|no|on|off)$/i;
const OCTAL = /^[-+]?0[0-7_]+$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const DATE = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}/;

/** Scalars and keys without quotes that YAML 1.1 reads differently from YAML 1.2. */
export function hotYaml11(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const { file, root } of [...bundle.templates.values(), ...bundle.environments.values()])
    for (const node of walk(root)) {
      if (node.kind === "scalar" && node.plain && isTrap(node.text))
        faults.push({
          file,
          line: node.line,
          at: "",
          problem: `put ${node.text} in quotes: YAML 1.1 reads it differently`,
        });
      for (const { key, line, value } of entries(node)) {
        if (WORD.test(key))
          faults.push({ file, line, at: "", problem: `the key ${key} is a boolean in YAML 1.1` });
        if (
          key !== "heat_template_version" &&
          value.kind === "scalar" &&
          value.plain &&
          DATE.test(value.text)
        )
          faults.push({
            file,
            line: value.line,
            at: key,
            problem: `put ${value.text} in quotes: YAML 1.1 reads a date`,
          });
      }
    }
  return faults;
}

function isTrap(text: string): boolean {
  return WORD.test(text) || OCTAL.test(text) || BASE_60.test(text);
}

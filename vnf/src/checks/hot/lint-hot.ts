import type { Fault } from "../../model/yaml-file.ts";
import { type HotRule, readBundle } from "./hot-bundle.ts";
import { hotCycles } from "./hot-cycles.ts";
import { hotEnvironments } from "./hot-environments.ts";
import { hotFunctions } from "./hot-functions.ts";
import { hotHardening } from "./hot-hardening.ts";
import { hotNested } from "./hot-nested.ts";
import { hotParameters } from "./hot-parameters.ts";
import { hotReferences } from "./hot-references.ts";
import { hotResourceTypes } from "./hot-resource-types.ts";
import { hotStrReplace } from "./hot-str-replace.ts";
import { hotUnused } from "./hot-unused.ts";
import { hotYaml11 } from "./hot-yaml-11.ts";

const RULES: readonly HotRule[] = [
  hotParameters,
  hotReferences,
  hotFunctions,
  hotResourceTypes,
  hotNested,
  hotStrReplace,
  hotUnused,
  hotEnvironments,
  hotCycles,
  hotYaml11,
  hotHardening,
];

/**
 * Checks the files of a stack without OpenStack: paths relative to their folder, with their texts. Every fault has its
 * file and, where it has one, its line; sorted by them.
 */
export function lintHot(texts: ReadonlyMap<string, string>, top = "ims.yaml"): Fault[] {
  const { bundle, faults } = readBundle(texts, top);
  const all = [...faults, ...RULES.flatMap((rule) => rule(bundle))];
  return all.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

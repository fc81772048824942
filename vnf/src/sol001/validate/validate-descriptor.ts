import {
  type DescriptorBundle,
  type DescriptorRule,
  type PackageFiles,
  readDescriptors,
} from "./descriptor-bundle.ts";
import type { PackageFault } from "./descriptor-fault.ts";
import { flavourRules } from "./flavour-rules.ts";
import { hotRules } from "./hot-rules.ts";
import { imageRules, interfaceRules } from "./package-rules.ts";
import { placementRules } from "./placement-rules.ts";
import { scalingRules } from "./scaling-rules.ts";
import { definitionRules, nodeRules, policyRules } from "./type-rules.ts";

const RULES: readonly DescriptorRule[] = [
  definitionRules,
  nodeRules,
  policyRules,
  flavourRules,
  scalingRules,
  placementRules,
  imageRules,
  interfaceRules,
  hotRules,
];

/**
 * Checks a VNFD without a VNFM: types and values, then what only shows when parts are compared. Every fault has its file, its
 * line and a remedy; sorted by them.
 */
export function validateDescriptor(
  files: PackageFiles,
  top: string,
): { readonly bundle: DescriptorBundle; readonly faults: PackageFault[] } {
  const { bundle, faults } = readDescriptors(files, top);
  const all = [...faults, ...RULES.flatMap((rule) => rule(bundle))];
  const unique = new Map(all.map((fault) => [JSON.stringify(fault), fault]));
  return {
    bundle,
    faults: [...unique.values()].sort((a, b) =>
      a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line,
    ),
  };
}

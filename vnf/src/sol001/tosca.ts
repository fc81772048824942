import { dump } from "js-yaml";

export type Tosca = string | number | boolean | readonly Tosca[] | { readonly [key: string]: Tosca };
export type ToscaMap = { readonly [key: string]: Tosca };

/** What a descriptor is made from and for. */
export type { Profile } from "./vnfd-facts.ts";

/** YAML that version 1.1 and 1.2 of it read in the same way: no anchors, what only looks like a number in quotes. */
export function toYaml(document: Tosca, comment: string): string {
  const lines = comment.split("\n").map((line) => `# ${line}\n`);
  return lines.join("") + dump(document, { noRefs: true, lineWidth: -1 });
}

export function policy(type: string, properties: ToscaMap, targets?: readonly string[]): ToscaMap {
  return {
    type: `tosca.policies.nfv.${type}`,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(targets === undefined ? {} : { targets }),
  };
}

/** A list of maps with one key each, as TOSCA has policies and requirements. */
export function listed(entries: Iterable<readonly [string, ToscaMap]>): ToscaMap[] {
  return [...entries].map(([key, value]) => ({ [key]: value }));
}

import type { Fault } from "../../model/yaml-file.ts";
import {
  callOf,
  definitionsOf,
  type HotBundle,
  isNested,
  listed,
  nestedOf,
  resourcesOf,
} from "./hot-bundle.ts";
import { child, entries } from "./hot-node.ts";
import { RESOURCE_KEYS, RESOURCE_TYPES, SECURITY_RULE_KEYS } from "./resource-catalogue.ts";

/** Types that exist, with properties they have and all they need. */
export function hotResourceTypes(bundle: HotBundle): Fault[] {
  const faults: Fault[] = [];
  for (const template of bundle.templates.values()) {
    const { file } = template;
    for (const { name, body } of resourcesOf(template))
      for (const one of entries(body))
        if (!RESOURCE_KEYS.has(one.key))
          faults.push({
            file,
            line: one.line,
            at: `resources.${name}`,
            problem: `"${one.key}" is no part of a resource`,
          });
    for (const { name, line, type, typeLine, properties } of definitionsOf(template)) {
      const at = `resources.${name}`;
      if (isNested(type)) {
        if (nestedOf(bundle, template, type) === undefined)
          faults.push({ file, line: typeLine, at, problem: `there is no template "${type}"` });
        continue;
      }
      const known = RESOURCE_TYPES.get(type);
      if (known === undefined) {
        faults.push({ file, line: typeLine, at, problem: `type "${type}" is unknown` });
        continue;
      }
      if (properties !== undefined && callOf(properties) !== undefined) continue;
      for (const one of entries(properties))
        if (!known.properties.has(one.key))
          faults.push({ file, line: one.line, at, problem: `${type} has no property "${one.key}"` });
      for (const needed of known.needed)
        if (child(properties, needed) === undefined)
          faults.push({ file, line, at, problem: `${type} needs the property "${needed}"` });
      if (type === "OS::Neutron::SecurityGroup")
        for (const rule of listed(child(properties, "rules")))
          for (const one of entries(rule))
            if (!SECURITY_RULE_KEYS.has(one.key))
              faults.push({ file, line: one.line, at: `${at}.rules`, problem: `a rule has no "${one.key}"` });
    }
  }
  return faults;
}

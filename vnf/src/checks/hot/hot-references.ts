import type { Fault } from "../../model/yaml-file.ts";
import {
  callOf,
  type HotBundle,
  isNested,
  nestedOf,
  parametersOf,
  resolvePath,
  resourcesOf,
  type Template,
} from "./hot-bundle.ts";
import { child, entries, entry, type HotNode, items, textOf, walk } from "./hot-node.ts";
import { ATTRIBUTES, GROUP_ATTRIBUTES } from "./resource-catalogue.ts";

const PSEUDO = new Set(["OS::stack_name", "OS::stack_id", "OS::project_id"]);

/** get_param, get_resource, get_attr, get_file, conditions and depends_on name something that is there. */
export function hotReferences(bundle: HotBundle): Fault[] {
  return [...bundle.templates.values()].flatMap((template) => inTemplate(bundle, template));
}

function inTemplate(bundle: HotBundle, template: Template): Fault[] {
  const { file, root } = template;
  const faults: Fault[] = [];
  const fault = (line: number, at: string, problem: string) => faults.push({ file, line, at, problem });
  const parameters = parametersOf(template);
  const resources = new Map(resourcesOf(template).map((resource) => [resource.name, resource] as const));
  const conditions = new Set(entries(child(root, "conditions")).map(({ key }) => key));
  const condition = (node: HotNode | undefined, at: string): void => {
    if (node?.kind === "scalar" && !conditions.has(node.text) && !/^(?:true|false)$/i.test(node.text))
      fault(node.line, at, `there is no condition "${node.text}"`);
  };
  for (const node of walk(root)) {
    const call = callOf(node);
    if (call === undefined) continue;
    const { name, argument, line } = call;
    const first = argument.kind === "list" ? argument.items[0] : argument;
    const subject = textOf(first);
    if (name === "get_param" && subject !== undefined && !parameters.has(subject) && !PSEUDO.has(subject))
      fault(line, name, `there is no parameter "${subject}"`);
    if (name === "get_resource" && (subject === undefined || !resources.has(subject)))
      fault(line, name, `there is no resource "${subject ?? ""}"`);
    if (name === "get_file" && (subject === undefined || !bundle.texts.has(resolvePath(file, subject))))
      fault(line, name, `there is no file "${subject ?? ""}"`);
    if (name === "get_attr") {
      const resource = resources.get(subject ?? "");
      const attribute = textOf(items(argument)[1]);
      if (resource === undefined) fault(line, name, `there is no resource "${subject ?? ""}"`);
      else if (attribute !== undefined && !knows(bundle, template, resource.body, attribute))
        fault(line, name, `${resource.name} has no attribute "${attribute}"`);
    }
    if (name === "if") condition(items(argument)[0], name);
    if (name === "and" || name === "or") for (const item of items(argument)) condition(item, name);
    if (name === "not" && argument.kind === "scalar") condition(argument, name);
  }
  for (const resource of resources.values()) {
    condition(child(resource.body, "condition"), `resources.${resource.name}.condition`);
    const depends = entry(resource.body, "depends_on");
    for (const node of depends?.value.kind === "list"
      ? depends.value.items
      : depends === undefined
        ? []
        : [depends.value])
      if (!resources.has(textOf(node) ?? ""))
        fault(
          node.line,
          `resources.${resource.name}.depends_on`,
          `there is no resource "${textOf(node) ?? ""}"`,
        );
  }
  return faults;
}

/** Does a resource have this attribute? Of types that are not in the catalogue nothing is said; resource-types does. */
function knows(bundle: HotBundle, template: Template, body: HotNode, attribute: string): boolean {
  const type = textOf(child(body, "type")) ?? "";
  if (attribute === "show" || attribute === "OS::stack_id") return true;
  if (type === "OS::Heat::ResourceGroup") {
    if (GROUP_ATTRIBUTES.has(attribute) || /^resource\./.test(attribute)) return true;
    const definition = child(body, "properties", "resource_def");
    return definition !== undefined && knows(bundle, template, definition, attribute);
  }
  if (isNested(type)) {
    const nested = nestedOf(bundle, template, type);
    return (
      nested === undefined ||
      child(nested.root, "outputs", attribute) !== undefined ||
      /^resource\./.test(attribute)
    );
  }
  return ATTRIBUTES.get(type)?.has(attribute) ?? true;
}

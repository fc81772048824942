import { posix } from "node:path";
import type { Fault } from "../../model/yaml-file.ts";
import { child, entries, type HotMap, type HotNode, readHot, textOf } from "./hot-node.ts";

/** A HOT file. */
export interface Template {
  readonly file: string;
  readonly root: HotNode;
}

/** All files that belong to one stack; paths are relative to one folder, with slashes. */
export interface HotBundle {
  readonly texts: ReadonlyMap<string, string>;
  readonly templates: ReadonlyMap<string, Template>;
  readonly environments: ReadonlyMap<string, Template>;
  /** The template a stack is made from; environments are for this one. */
  readonly top: string;
}

/** A rule: what it finds in the bundle. */
export type HotRule = (bundle: HotBundle) => readonly Fault[];

export type BundleReading = { readonly bundle: HotBundle; readonly faults: readonly Fault[] };

/** Sorts files into templates (they have heat_template_version, or are a nested type of one), environments and others. */
export function readBundle(texts: ReadonlyMap<string, string>, top: string): BundleReading {
  const templates = new Map<string, Template>();
  const environments = new Map<string, Template>();
  const faults: Fault[] = [];
  for (const [file, text] of texts) {
    if (!/\.ya?ml$/.test(file)) continue;
    const reading = readHot(text, file);
    if (reading.kind === "bad") {
      faults.push(reading.fault);
      continue;
    }
    const { root } = reading;
    const isEnvironment = file.startsWith("environments/");
    if (isEnvironment) environments.set(file, { file, root });
    else if (child(root, "resources") !== undefined || child(root, "heat_template_version") !== undefined)
      templates.set(file, { file, root });
  }
  if (!texts.has(top)) faults.push({ file: top, line: 0, at: "", problem: "there is no such file" });
  return { bundle: { texts, templates, environments, top }, faults };
}

export interface Resource {
  readonly name: string;
  readonly line: number;
  readonly type: string;
  readonly typeLine: number;
  readonly body: HotNode;
  readonly properties: HotNode | undefined;
}

export function resourcesOf(template: Template): readonly Resource[] {
  return entries(child(template.root, "resources")).map(({ key, line, value }) => ({
    name: key,
    line,
    type: textOf(child(value, "type")) ?? "",
    typeLine: child(value, "type")?.line ?? line,
    body: value,
    properties: child(value, "properties"),
  }));
}

/** A resource and, of a group, what its members are. */
export function definitionsOf(template: Template): readonly Resource[] {
  return resourcesOf(template).flatMap((resource) => {
    const definition = child(resource.properties, "resource_def");
    if (definition === undefined) return [resource];
    const member: Resource = {
      name: resource.name,
      line: definition.line,
      type: textOf(child(definition, "type")) ?? "",
      typeLine: child(definition, "type")?.line ?? definition.line,
      body: definition,
      properties: child(definition, "properties"),
    };
    return [resource, member];
  });
}

/** A path written in a file, from the folder of the bundle. */
export function resolvePath(from: string, path: string): string {
  return posix.normalize(posix.join(posix.dirname(from), path));
}

export function isNested(type: string): boolean {
  return /\.ya?ml$/.test(type);
}

export function nestedOf(bundle: HotBundle, template: Template, type: string): Template | undefined {
  return isNested(type) ? bundle.templates.get(resolvePath(template.file, type)) : undefined;
}

/** A map with one key that is the name of a function, with its argument. */
export function callOf(
  node: HotNode,
): { readonly name: string; readonly argument: HotNode; readonly line: number } | undefined {
  if (node.kind !== "map" || node.entries.length !== 1) return undefined;
  const only = (node as HotMap).entries[0];
  return only !== undefined && FUNCTIONS.has(only.key)
    ? { name: only.key, argument: only.value, line: only.line }
    : undefined;
}

/** What a list holds, as written; of one put together by list_concat, repeat and if what its parts hold. */
export function listed(node: HotNode | undefined): readonly HotNode[] {
  const call = node && callOf(node);
  if (call?.name === "list_concat" && call.argument.kind === "list")
    return call.argument.items.flatMap(listed);
  if (call?.name === "repeat") return listed(child(call.argument, "template"));
  if (call?.name === "if" && call.argument.kind === "list")
    return call.argument.items.slice(1).flatMap(listed);
  if (node === undefined) return [];
  return node.kind === "list" ? node.items.flatMap(listed) : [node];
}

/** Functions of heat_template_version 2021-04-16, conditions included. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  "get_param",
  "get_resource",
  "get_attr",
  "get_file",
  "str_replace",
  "str_replace_strict",
  "str_replace_vstrict",
  "str_split",
  "list_join",
  "list_concat",
  "list_concat_unique",
  "map_merge",
  "map_replace",
  "repeat",
  "digest",
  "resource_facade",
  "yaql",
  "equals",
  "if",
  "not",
  "and",
  "or",
  "contains",
  "filter",
  "make_url",
]);

export function parametersOf(
  template: Template,
): ReadonlyMap<string, { readonly line: number; readonly body: HotNode }> {
  return new Map(
    entries(child(template.root, "parameters")).map(
      ({ key, line, value }) => [key, { line, body: value }] as const,
    ),
  );
}

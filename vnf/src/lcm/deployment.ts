import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { child, entries, type HotNode, readHot, textOf } from "../checks/hot/hot-node.ts";
import { listOf, wrongValue } from "../checks/hot/parameter-value.ts";
import type { Fault } from "../model/yaml-file.ts";
import type { StackDefinition } from "../openstack/heat.ts";
import { readTemplate } from "./template-files.ts";

export interface DeploymentRequest {
  /** Path of ims.yaml. */
  readonly template: string;
  /** Paths of environment files; a later one wins. */
  readonly environments: readonly string[];
  /** Go before all environments. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What a VNF is made from: template, environments and parameters, read and checked. */
export interface Deployment {
  readonly definition: StackDefinition;
  /** Every parameter of the template as Heat shows it, defaults included. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Parameters whose values must not be shown. */
  readonly hidden: ReadonlySet<string>;
}

export type DeploymentReading =
  | { readonly kind: "deployment"; readonly deployment: Deployment }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] };

const SECTIONS = new Set(["parameters", "parameter_defaults", "resource_registry"]);
const GIVEN = "--parameter";

interface Value {
  readonly node: HotNode;
  readonly file: string;
  readonly plain: unknown;
}

/** Reads template and environments, checks every parameter against type and constraints; all faults at once. */
export function readDeployment(request: DeploymentRequest): DeploymentReading {
  const template = readTemplate(request.template);
  const faults: Fault[] = template.kind === "bad" ? [...template.faults] : [];
  const given = new Map<string, Value>();
  let registry: Record<string, unknown> = {};
  for (const file of request.environments) {
    const environment = readEnvironment(file);
    if (environment.kind === "bad") {
      faults.push(environment.fault);
      continue;
    }
    const { root, plain } = environment;
    for (const { key, line } of entries(root))
      if (!SECTIONS.has(key)) faults.push({ file, line, at: key, problem: "no section of an environment" });
    for (const section of ["parameter_defaults", "parameters"])
      for (const { key, value } of entries(child(root, section)))
        given.set(key, { node: value, file, plain: mapOf(mapOf(plain)[section])[key] });
    registry = merged(registry, mapOf(mapOf(plain)["resource_registry"]));
  }
  for (const [name, text] of request.parameters)
    given.set(name, {
      node: { kind: "scalar", text, plain: false, line: 0 },
      file: GIVEN,
      plain: text,
    });
  if (template.kind === "bad") return { kind: "bad", faults };
  const declared = new Map(entries(child(template.root, "parameters")).map((one) => [one.key, one] as const));
  for (const [name, { node, file }] of given)
    if (!declared.has(name))
      faults.push({
        file,
        line: node.line,
        at: name,
        problem: `the template has no such parameter${near(name, declared.keys())}`,
      });
  const parameters = new Map<string, string>();
  const hidden = new Set<string>();
  for (const [name, { line, value: body }] of declared) {
    if (/^(?:true|yes|on)$/i.test(textOf(child(body, "hidden")) ?? "")) hidden.add(name);
    const own = given.get(name);
    const node = own?.node ?? child(body, "default");
    if (node === undefined) {
      const problem = `has no default: give it with --parameter ${name}=... or in an environment`;
      faults.push({ file: request.template, line, at: `parameters.${name}`, problem });
      continue;
    }
    const wrong = own === undefined ? undefined : wrongValue(body, node);
    if (wrong !== undefined)
      faults.push({
        file: own?.file ?? request.template,
        line: node.line,
        at: name,
        problem: hidden.has(name) ? "is not what the template allows" : wrong,
      });
    const plain = own?.plain ?? mapOf(mapOf(mapOf(template.template)["parameters"])[name])["default"];
    parameters.set(name, shownValue(body, node, plain));
  }
  if (faults.length > 0) return { kind: "bad", faults };
  const environment = {
    parameters: Object.fromEntries([...given].map(([name, { plain }]) => [name, plain])),
    ...(Object.keys(registry).length === 0 ? {} : { resource_registry: registry }),
  };
  return {
    kind: "deployment",
    deployment: {
      definition: {
        template: template.template,
        files: Object.fromEntries(template.files),
        environment,
      },
      parameters,
      hidden,
    },
  };
}

type EnvironmentReading =
  | { readonly kind: "read"; readonly root: HotNode; readonly plain: unknown }
  | { readonly kind: "bad"; readonly fault: Fault };

function readEnvironment(file: string): EnvironmentReading {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`;
    return { kind: "bad", fault: { file, line: 0, at: "", problem } };
  }
  const reading = readHot(text, file);
  return reading.kind === "bad" ? reading : { kind: "read", root: reading.root, plain: load(text) };
}

/** As Heat gives a parameter back: lists with commas, JSON as text. */
function shownValue(body: HotNode, node: HotNode, plain: unknown): string {
  const type = textOf(child(body, "type"));
  if (type === "comma_delimited_list") return listOf(node).join(",");
  if (type === "json") return typeof plain === "string" ? plain : JSON.stringify(plain ?? {});
  return textOf(node) ?? "";
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** Deep: two environments may put hooks on different resources. */
function merged(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const all = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const before = all.get(key);
    const deep = typeof value === "object" && value !== null && typeof before === "object" && before !== null;
    all.set(key, deep ? merged(mapOf(before), mapOf(value)) : value);
  }
  return Object.fromEntries(all);
}

function near(name: string, names: Iterable<string>): string {
  const same = (text: string): string => text.toLowerCase().replace(/[-_]/g, "");
  for (const candidate of names) if (same(candidate) === same(name)) return `: is it ${candidate}?`;
  return "";
}

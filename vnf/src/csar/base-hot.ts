import { load } from "js-yaml";
import type { DeploymentFlavour } from "../sol001/deployment-flavour.ts";
import { flavourParameters } from "../sol001/flavour-parameters.ts";
import { type Tosca, toYaml } from "../sol001/tosca.ts";
import { baseHotFolder, environmentFile, HEAT_FOLDER } from "../sol001/validate/hot-rules.ts";

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null;
type Template = { [key: string]: Json };

const TOP = "ims.yaml";

/** The templates as they are, and an environment for each flavour (SOL 001 from version 4 on). */
export function heatArtifacts(
  heat: ReadonlyMap<string, string>,
  flavours: readonly DeploymentFlavour[],
): Map<string, string> {
  const files = new Map<string, string>();
  for (const [path, text] of heat) files.set(`${HEAT_FOLDER}/${path}`, text);
  for (const flavour of flavours)
    files.set(
      `${HEAT_FOLDER}/${environmentFile(flavour.name)}`,
      toYaml(
        { parameters: Object.fromEntries(flavourParameters(flavour)) },
        `Deployment flavour ${flavour.name} at level ${flavour.defaultLevel}.`,
      ),
    );
  return files;
}

/**
 * The templates for Tacker's OpenStack driver: a folder for each flavour whose values are defaults, servers and ports called as
 * VDUs and connection points are (that is how the driver finds them), flavors and image from its parameter nfv.
 */
export function baseHot(
  heat: ReadonlyMap<string, string>,
  flavours: readonly DeploymentFlavour[],
): Map<string, string> {
  const files = new Map<string, string>();
  for (const flavour of flavours) {
    const folder = baseHotFolder(flavour.name);
    const note = `Made from heat-templates/ for the flavour ${flavour.name}.`;
    const put = (path: string, template: Template): void => {
      files.set(`${folder}/${path}`, toYaml(template as Tosca, note));
    };
    const renamed = new Set(flavour.pools.map(({ vdu }) => `nested/${vdu.name}.yaml`));
    for (const [path, text] of heat) {
      if (path.startsWith("environments/")) continue;
      if (path === TOP) {
        const template = topTemplate(load(text) as Template, flavour);
        put(path, template);
        const { nfv } = template["parameters"] as { nfv: Template };
        files.set(`${folder}/nfv.json`, `${JSON.stringify(nfv["default"])}\n`);
      } else if (renamed.has(path)) {
        const vdu = flavour.pools.find((pool) => path === `nested/${pool.vdu.name}.yaml`)?.vdu.name ?? "";
        put(path, memberTemplate(load(text) as Template, vdu));
      } else files.set(`${folder}/${path}`, text);
    }
  }
  return files;
}

function topTemplate(template: Template, flavour: DeploymentFlavour): Template {
  const parameters = template["parameters"] as Template;
  for (const [name, value] of flavourParameters(flavour)) (parameters[name] as Template)["default"] = value;
  const image = (parameters["image"] as Template)["default"] ?? "";
  const vdus: Template = {};
  for (const { vdu } of flavour.pools) {
    const flavor = (parameters[`${vdu.name}_flavor`] as Template)["default"] ?? "";
    vdus[vdu.name] = { vcImageId: image, computeFlavourId: flavor };
    const resources = template["resources"] as { [name: string]: { properties: Template } };
    const definition = resources[vdu.name]?.properties["resource_def"] as { properties: Template };
    definition.properties["image"] = { get_param: ["nfv", "VDU", vdu.name, "vcImageId"] };
    definition.properties["flavor"] = { get_param: ["nfv", "VDU", vdu.name, "computeFlavourId"] };
    delete parameters[`${vdu.name}_flavor`];
  }
  // A pool that the flavour leaves out boots what all others do, should somebody ask for it all the same.
  const [first] = flavour.pools;
  for (const { properties } of Object.values(
    template["resources"] as { [name: string]: { properties?: Template } },
  )) {
    const definition = properties?.["resource_def"] as { properties?: Template } | undefined;
    const given = definition?.properties?.["image"] as { get_param?: Json } | undefined;
    if (definition?.properties !== undefined && given?.get_param === "image")
      definition.properties["image"] = { get_param: ["nfv", "VDU", first?.vdu.name ?? "", "vcImageId"] };
  }
  delete parameters["image"];
  parameters["nfv"] = {
    type: "json",
    description: "image and flavor of each VDU, as the driver of Tacker gives them",
    default: { VDU: vdus, CP: {} },
  };
  const groups = template["parameter_groups"];
  if (Array.isArray(groups))
    for (const group of groups as { parameters: string[] }[])
      group.parameters = group.parameters.filter((name) => name in parameters);
  return template;
}

function memberTemplate(template: Template, vdu: string): Template {
  const resources = template["resources"] as { [name: string]: Template };
  const names = new Map<string, string>();
  for (const [name, { type }] of Object.entries(resources)) {
    if (type === "OS::Nova::Server") names.set(name, vdu);
    if (type === "OS::Neutron::Port") names.set(name, `${vdu}_${name.replace(/_port$/, "")}`);
  }
  const renamed = Object.entries(resources).map(([name, body]): [string, Json] => [
    names.get(name) ?? name,
    body,
  ]);
  template["resources"] = Object.fromEntries(renamed);
  return rename(template, names) as Template;
}

function rename(node: Json, names: ReadonlyMap<string, string>): Json {
  if (Array.isArray(node)) return node.map((item) => rename(item, names));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]): [string, Json] => {
      const other = (name: Json): Json => (typeof name === "string" ? (names.get(name) ?? name) : name);
      if (key === "get_resource" || key === "depends_on")
        return [key, Array.isArray(value) ? value.map(other) : other(value)];
      if (key === "get_attr" && Array.isArray(value))
        return [key, [other(value[0] ?? ""), ...value.slice(1)]];
      return [key, rename(value, names)];
    }),
  );
}

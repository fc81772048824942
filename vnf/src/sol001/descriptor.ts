import type { VnfModel } from "../model/model.ts";
import { type DeploymentFlavour, deploymentFlavour } from "./deployment-flavour.ts";
import { interfacePolicies, securityPolicies } from "./interface-policies.ts";
import { externalConnections, nodeTemplates } from "./node-templates.ts";
import { placementPolicies } from "./placement-policies.ts";
import { scalingPolicies } from "./scaling-policies.ts";
import type { SoftwareImage } from "./software-image.ts";
import { listed, type Tosca, type ToscaMap, toYaml } from "./tosca.ts";
import type { Profile, VnfdFacts } from "./vnfd-facts.ts";

/** What a descriptor is made from. */
export interface DescriptorSource {
  readonly model: VnfModel;
  readonly facts: VnfdFacts;
  readonly profile: Profile;
  readonly image: SoftwareImage;
}

export interface DescriptorRequest extends DescriptorSource {
  /** Node type of the VNF. */
  readonly vnfType: string;
}

export const TOP_FILE = "Definitions/tidewater_vnfd.yaml";
/** Of the property vnfm_info (SOL 001 clause 6.8.1). */
const VNFM_PATTERN = "(^etsivnfm:v[0-9]?[0-9]\\.[0-9]?[0-9]\\.[0-9]?[0-9]$)|(^[0-9]+:[a-zA-Z0-9.-]+$)";
const TYPES_FILE = "tidewater_types.yaml";
const ETSI_FILES = ["etsi_nfv_sol001_common_types.yaml", "etsi_nfv_sol001_vnfd_types.yaml"];

export const ETSI_TYPE_FILES: readonly string[] = ETSI_FILES;
/** Version of the types of SOL 001 of a profile: the folder of tosca/types. */
export const TYPES_VERSION: Readonly<Record<Profile, string>> = {
  "sol001-4": "4.4.1",
  "sol001-2.6.1": "2.6.1",
};

/** The descriptor, by path in the package; the types of ETSI are not among them. */
export function descriptorFiles(source: DescriptorSource): Map<string, string> {
  const request: DescriptorRequest = { ...source, vnfType: "tidewater.nodes.VNF" };
  const flavours = request.facts.flavours.map((facts) => deploymentFlavour(request.model, facts));
  const files = new Map<string, string>();
  const add = (path: string, what: string, document: Tosca): void => {
    files.set(
      path,
      toYaml(document, `${what} Made from the model of the VNF by tidewater vnf package; not to be edited.`),
    );
  };
  add(TOP_FILE, "The descriptor of the VNF: chooses a deployment flavour.", top(request, flavours));
  add(`Definitions/${TYPES_FILE}`, "The node type of the VNF.", types(request, flavours));
  for (const flavour of flavours)
    add(flavourFile(flavour), `Deployment flavour ${flavour.name}.`, deployment(request, flavour));
  return files;
}

export function flavourFile({ name }: Pick<DeploymentFlavour, "name">): string {
  return `Definitions/tidewater_df_${name}.yaml`;
}

function header({ profile }: DescriptorRequest, description: string, imports: readonly string[]): ToscaMap {
  return {
    tosca_definitions_version: profile === "sol001-4" ? "tosca_simple_yaml_1_3" : "tosca_simple_yaml_1_2",
    description,
    imports,
  };
}

function productProperties({ facts, profile }: DescriptorRequest): [string, Tosca][] {
  const { product, descriptors } = facts;
  return [
    ["descriptor_id", descriptors[profile] ?? ""],
    ["descriptor_version", product.descriptor_version],
    ["provider", product.provider],
    ["product_name", product.name],
    ["software_version", product.software_version],
  ];
}

function top(request: DescriptorRequest, flavours: readonly DeploymentFlavour[]): ToscaMap {
  const [first] = flavours;
  const { product } = request.facts;
  return {
    ...header(request, product.description, [
      ...ETSI_FILES,
      TYPES_FILE,
      ...flavours.map((flavour) => flavourFile(flavour).replace("Definitions/", "")),
    ]),
    topology_template: {
      inputs: {
        selected_flavour: {
          type: "string",
          default: first?.name ?? "",
          description: "deployment flavour",
          constraints: [{ valid_values: flavours.map(({ name }) => name) }],
        },
      },
      node_templates: {
        VNF: {
          type: request.vnfType,
          properties: {
            flavour_id: { get_input: "selected_flavour" },
            flavour_description: product.description,
            ...Object.fromEntries(productProperties(request)),
            vnfm_info: product.vnfm,
          },
        },
      },
    },
  };
}

function types(request: DescriptorRequest, flavours: readonly DeploymentFlavour[]): ToscaMap {
  const { facts, profile, vnfType } = request;
  const fixed = productProperties(request).map(([name, value]): [string, Tosca] => [
    name,
    { type: "string", default: value, constraints: [{ valid_values: [value] }] },
  ]);
  const connections = new Set(
    flavours.flatMap((flavour) => externalConnections(request, flavour).map(([name]) => name)),
  );
  const indicatorType = "tidewater.interfaces.VnfIndicator";
  return {
    ...header(request, "The VNF and what it tells of itself.", ETSI_FILES),
    ...(profile === "sol001-4"
      ? {
          interface_types: {
            [indicatorType]: {
              derived_from: "tosca.interfaces.nfv.VnfIndicator",
              notifications: Object.fromEntries(
                facts.indicators.map(({ name, purpose }) => [name, { description: purpose }]),
              ),
            },
          },
        }
      : {}),
    node_types: {
      [vnfType]: {
        derived_from: "tosca.nodes.nfv.VNF",
        properties: {
          ...Object.fromEntries(fixed),
          vnfm_info: {
            type: "list",
            entry_schema: { type: "string", constraints: [{ pattern: VNFM_PATTERN }] },
            default: facts.product.vnfm,
          },
          flavour_id: {
            type: "string",
            constraints: [{ valid_values: flavours.map(({ name }) => name) }],
            default: flavours[0]?.name ?? "",
          },
          flavour_description: { type: "string", default: facts.product.description },
        },
        requirements: listed(
          [...connections].map((name) => [
            name,
            {
              capability: "tosca.capabilities.nfv.VirtualLinkable",
              relationship: "tosca.relationships.nfv.VirtualLinksTo",
              occurrences: [0, 1],
            },
          ]),
        ),
        interfaces: {
          Vnflcm: { type: "tosca.interfaces.nfv.Vnflcm" },
          ...(profile === "sol001-4" ? { VnfIndicator: { type: indicatorType } } : {}),
        },
      },
    },
  };
}

function deployment(request: DescriptorRequest, flavour: DeploymentFlavour): ToscaMap {
  const input = (value: Tosca): ToscaMap => ({ type: "string", default: value });
  return {
    ...header(request, flavour.description, [...ETSI_FILES, TYPES_FILE]),
    topology_template: {
      inputs: {
        flavour_id: input(flavour.name),
        flavour_description: input(flavour.description),
        ...Object.fromEntries(productProperties(request).map(([name, value]) => [name, input(value)])),
        vnfm_info: { type: "list", entry_schema: { type: "string" }, default: request.facts.product.vnfm },
      },
      substitution_mappings: {
        node_type: request.vnfType,
        properties: { flavour_id: flavour.name },
        requirements: Object.fromEntries(externalConnections(request, flavour)),
      },
      node_templates: nodeTemplates(request, flavour),
      policies: listed([
        ...scalingPolicies(flavour, request.profile),
        ...placementPolicies(flavour, request.profile),
        ...interfacePolicies(request, flavour),
        ...securityPolicies(request, flavour),
      ]),
    },
  };
}

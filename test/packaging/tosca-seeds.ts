import type { Profile } from "../../vnf/src/index.ts";
import { POLICY_SEEDS } from "./tosca-policy-seeds.ts";

/** A fault put into a package, and how the validator tells it. */
export interface ToscaSeed {
  readonly what: string;
  readonly profile?: Profile;
  readonly file: string;
  /** Text that is there; the first is replaced. */
  readonly from: string | RegExp;
  readonly to: string;
  readonly says: RegExp;
  /** Where it is found, when not on the changed line: text of that line, and of which file when of another. */
  readonly on?: string;
  readonly inFile?: string;
}

const HA = "Definitions/tidewater_df_ha.yaml";
const TYPES = "Definitions/tidewater_types.yaml";
const TOP = "Definitions/tidewater_vnfd.yaml";

export const TOSCA_SEEDS: readonly ToscaSeed[] = [
  {
    what: "YAML that cannot be read",
    file: HA,
    from: "topology_template:",
    to: "topology_template: [",
    says: /./,
    on: "flavour_id:",
  },
  {
    what: "a key that stands twice",
    file: HA,
    from: "description: P-CSCF, cell 0",
    to: "name: again\n        description: P-CSCF, cell 0",
    says: /duplicat/i,
  },
  {
    what: "an unknown version of TOSCA",
    file: HA,
    from: "tosca_simple_yaml_1_3",
    to: "tosca_simple_yaml_9_9",
    says: /not known/,
  },
  {
    what: "an import that is not in the package",
    file: TOP,
    from: "- tidewater_df_lab.yaml",
    to: "- https://example.com/lab.yaml",
    says: /no file https:/,
  },
  {
    what: "an unknown node type",
    file: HA,
    from: "type: tosca.nodes.nfv.Vdu.Compute",
    to: "type: tosca.nodes.nfv.Vdu.Computer",
    says: /no node type/,
  },
  {
    what: "a type derived from nothing",
    file: TYPES,
    from: "derived_from: tosca.nodes.nfv.VNF",
    to: "derived_from: tosca.nodes.nfv.VNFD",
    says: /which there is not/,
  },
  {
    what: "a property that the type does not have",
    file: HA,
    from: "vnic_type: normal",
    to: "vnic: normal",
    says: /no such property/,
  },
  {
    what: "a required property that is missing",
    file: HA,
    from: /\n +num_virtual_cpu: 2/,
    to: "\n              cpu_architecture: x86",
    says: /num_virtual_cpu is missing/,
  },
  {
    what: "a word where a number has to be",
    file: HA,
    from: "num_virtual_cpu: 2",
    to: "num_virtual_cpu: two",
    says: /not an integer/,
  },
  {
    what: "a size without a unit",
    file: HA,
    from: "virtual_mem_size: 4096 MiB",
    to: "virtual_mem_size: 4096",
    says: /not a size/,
  },
  {
    what: "a value outside an enumeration",
    file: HA,
    from: "vnic_type: normal",
    to: "vnic_type: wireless",
    says: /not allowed/,
  },
  {
    what: "a number below its bound",
    file: HA,
    from: "num_virtual_cpu: 2",
    to: "num_virtual_cpu: 0",
    says: /too small/,
  },
  {
    what: "a VNFM of a wrong form",
    file: HA,
    from: /(node_templates:[\s\S]*?)- etsivnfm:v2.3.1/,
    to: "$1- tacker",
    says: /not the form/,
    on: "- tacker",
  },
  {
    what: "an unknown capability",
    file: HA,
    from: "        virtual_compute:",
    to: "        virtual_computer:",
    says: /no such capability/,
  },
  {
    what: "a binding to a VDU that is not there",
    file: HA,
    from: "virtual_binding: bono_cell_0",
    to: "virtual_binding: bono_cell_9",
    says: /no node template bono_cell_9/,
  },
  {
    what: "a virtual link that points at a VDU",
    file: HA,
    from: "virtual_link: mw",
    to: "virtual_link: bono_cell_0",
    says: /offers no tosca.capabilities.nfv.VirtualLinkable/,
  },
  {
    what: "a requirement that the type does not have",
    file: HA,
    from: "virtual_link: mw",
    to: "virtual_lonk: mw",
    says: /no such requirement/,
  },
  {
    what: "a point of connection without a network",
    file: HA,
    from: "internal_virtual_link: mw",
    to: "external_virtual_link: mw",
    says: /internal_virtual_link is missing/,
    on: "mw_isc:",
  },
  {
    what: "two interfaces with the same place",
    file: HA,
    from: "order: 1",
    to: "order: 0",
    says: /the place of another interface/,
  },
  {
    what: "two flavours with the same name",
    file: HA,
    from: /properties:\n {6}flavour_id: ha/,
    to: "properties:\n      flavour_id: lab",
    says: /is the flavour of/,
    on: "flavour_id: lab",
    inFile: "Definitions/tidewater_df_lab.yaml",
  },
  {
    what: "a flavour of the VNF that differs from the mapping's",
    file: HA,
    from: /type: tidewater.nodes.VNF\n {6}properties:\n {8}flavour_id: ha/,
    to: "type: tidewater.nodes.VNF\n      properties:\n        flavour_id: lab",
    says: /not the flavour ha/,
    on: "        flavour_id: lab",
  },
  {
    what: "a mapping to what is not there",
    file: HA,
    from: /virtual_link_gm:\n {8}- gm/,
    to: "virtual_link_gm:\n        - gn",
    says: /no node template gn/,
    on: "virtual_link_gm:",
  },
  {
    what: "a product that differs between files",
    file: HA,
    from: /provider: Tidewater\n {8}product_name/,
    to: "provider: Others\n        product_name",
    says: /differs from "Tidewater"/,
  },
  ...POLICY_SEEDS,
];

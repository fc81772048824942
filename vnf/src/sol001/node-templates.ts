import { type DeploymentFlavour, type DescriptorVdu, descriptorVdus } from "./deployment-flavour.ts";
import type { DescriptorRequest } from "./descriptor.ts";
import { nfviMaintenanceInfo } from "./placement-policies.ts";
import type { SoftwareImage } from "./software-image.ts";
import type { Tosca, ToscaMap } from "./tosca.ts";

const PROTOCOLS: ToscaMap = { layer_protocols: ["ipv4", "ipv6"] };
const GIB = 1024 ** 3;

/** Node templates of a deployment flavour: the VNF, VDUs with their connection points, networks, points of connection. */
export function nodeTemplates(request: DescriptorRequest, flavour: DeploymentFlavour): ToscaMap {
  const nodes: Record<string, Tosca> = { VNF: vnfTemplate(request, flavour) };
  for (const vdu of descriptorVdus(flavour, request.profile)) {
    nodes[vdu.id] = vduTemplate(request, flavour, vdu);
    vdu.pool.vdu.networks.forEach((network, order) => {
      const outside = exposed(request, vdu, network);
      nodes[connectionPoint(vdu, network)] = {
        type: "tosca.nodes.nfv.VduCp",
        properties: { ...PROTOCOLS, order, vnic_type: "normal" },
        requirements: [{ virtual_binding: vdu.id }, ...(outside ? [] : [{ virtual_link: network }])],
      };
    });
  }
  const internal = request.model.networks.filter(({ name }) => !isExposed(request, name));
  for (const { name, purpose } of internal)
    nodes[name] = {
      type: "tosca.nodes.nfv.VnfVirtualLink",
      properties: {
        connectivity_type: PROTOCOLS,
        description: purpose,
        // No bit rate is asked for: the networks are what the operator makes them.
        vl_profile: {
          max_bitrate_requirements: { root: 0, leaf: 0 },
          min_bitrate_requirements: { root: 0, leaf: 0 },
        },
        ...(request.profile === "sol001-4" ? { externally_managed: "allowed" } : {}),
      },
    };
  for (const { name, network, purpose } of request.facts.connection_points)
    if (!isExposed(request, network))
      nodes[name] = {
        type: "tosca.nodes.nfv.VnfExtCp",
        properties: { ...PROTOCOLS, description: purpose },
        requirements: [{ internal_virtual_link: network }],
      };
  return nodes;
}

export function connectionPoint({ id }: DescriptorVdu, network: string): string {
  return `${id}_${network}`;
}

/** In 2.6.1 the connection points of VDUs on external networks are the VNF's own: what Tacker connects. */
function isExposed({ profile, model }: DescriptorRequest, network: string): boolean {
  return (
    profile === "sol001-2.6.1" && model.networks.some(({ name, external }) => name === network && external)
  );
}

function exposed(request: DescriptorRequest, { pool }: DescriptorVdu, network: string): boolean {
  const { connection_points: points } = request.facts;
  return (
    isExposed(request, network) &&
    points.some((point) => point.network === network && point.vdus.includes(pool.vdu.name))
  );
}

/** Requirements of the VNF, by name: what each is met by. */
export function externalConnections(
  request: DescriptorRequest,
  flavour: DeploymentFlavour,
): [string, [string, string]][] {
  const vdus = descriptorVdus(flavour, request.profile);
  return request.facts.connection_points.flatMap(({ name, network, vdus: pools }) =>
    isExposed(request, network)
      ? vdus
          .filter(({ pool }) => pools.includes(pool.vdu.name))
          .map((vdu): [string, [string, string]] => [
            pools.length === 1 ? `virtual_link_${name}` : `virtual_link_${name}_${vdu.pool.vdu.name}`,
            [connectionPoint(vdu, network), "virtual_link"],
          ])
      : [[`virtual_link_${name}`, [name, "external_virtual_link"]]],
  );
}

function vnfTemplate(request: DescriptorRequest, flavour: DeploymentFlavour): Tosca {
  const { product, descriptors, heal_causes, graceful_termination } = request.facts;
  return {
    type: request.vnfType,
    properties: {
      flavour_id: flavour.name,
      flavour_description: flavour.description,
      descriptor_id: descriptors[request.profile] ?? "",
      descriptor_version: product.descriptor_version,
      provider: product.provider,
      product_name: product.name,
      software_version: product.software_version,
      vnfm_info: product.vnfm,
      lcm_operations_configuration: {
        // A change of several steps at once is not aligned: a host could hold more than the share on the way.
        scale: { scaling_by_more_than_one_step_supported: false },
        heal: { causes: heal_causes },
        terminate: { min_graceful_termination_timeout: `${graceful_termination} s` },
      },
    },
  };
}

function vduTemplate(request: DescriptorRequest, flavour: DeploymentFlavour, vdu: DescriptorVdu): Tosca {
  const { profile, image } = request;
  const { name, purpose, zone, size } = vdu.pool.vdu;
  const four = profile === "sol001-4";
  const availabilityZone = flavour.availabilityZone ?? zone;
  return {
    type: "tosca.nodes.nfv.Vdu.Compute",
    properties: {
      name: vdu.id,
      description: vdu.cell === undefined ? purpose : `${purpose}, cell ${vdu.cell}`,
      ...(four ? { boot_order: false } : {}),
      nfvi_constraints: four
        ? { availability_zone: availabilityZone }
        : [`availability_zone: ${availabilityZone}`],
      vdu_profile: {
        min_number_of_instances: Math.min(...vdu.instances),
        max_number_of_instances: Math.max(...vdu.instances),
        ...(four && flavour.guarded ? { nfvi_maintenance_info: nfviMaintenanceInfo(vdu) } : {}),
      },
      ...(four
        ? {
            boot_data: {
              kvp_data: {
                data: {
                  role: name,
                  pool: name,
                  ...(vdu.cell === undefined ? {} : { cell: String(vdu.cell) }),
                },
              },
            },
          }
        : { sw_image_data: imageProperties(image, request.facts.product.software_version, "sha-512") }),
    },
    capabilities: {
      virtual_compute: {
        properties: {
          requested_additional_capabilities: {
            properties: {
              requested_additional_capability_name: flavour.flavor ?? `tidewater.${name}`,
              support_mandatory: true,
              target_performance_parameters: { flavor: flavour.flavor ?? `tidewater.${name}` },
            },
          },
          virtual_memory: { virtual_mem_size: `${size.memory} MiB`, numa_enabled: false },
          virtual_cpu: { num_virtual_cpu: size.vcpus },
          virtual_local_storage: [{ size_of_storage: `${size.disk} GiB`, rdma_enabled: false }],
        },
      },
    },
    ...(image.packed
      ? {
          artifacts: {
            sw_image: {
              type: "tosca.artifacts.nfv.SwImage",
              file: `../Files/images/${image.file}`,
              ...(four
                ? { properties: imageProperties(image, request.facts.product.software_version, "sha-256") }
                : {}),
            },
          },
        }
      : {}),
  };
}

function imageProperties(image: SoftwareImage, version: string, algorithm: "sha-256" | "sha-512"): ToscaMap {
  return {
    name: image.name,
    version,
    checksum: { algorithm, hash: algorithm === "sha-256" ? image.sha256 : image.sha512 },
    container_format: "bare",
    disk_format: image.diskFormat,
    min_disk: `${Math.max(1, Math.ceil(image.virtualSize / GIB))} GiB`,
    min_ram: "1 GiB",
    size: `${image.size} B`,
  };
}

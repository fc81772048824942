/** Properties of the resource types that our templates use; a "!" after a name says that it is needed. */
const TYPES: Readonly<Record<string, string>> = {
  "OS::Heat::ResourceGroup": "count index_var resource_def! removal_policies removal_policies_mode",
  "OS::Heat::Value": "type value!",
  "OS::Heat::WaitCondition": "handle! timeout! count",
  "OS::Heat::WaitConditionHandle": "signal_transport",
  "OS::Neutron::Net":
    "name admin_state_up shared port_security_enabled dns_domain value_specs tags qos_policy",
  "OS::Neutron::Subnet":
    "network! cidr subnetpool prefixlen name ip_version dns_nameservers gateway_ip enable_dhcp allocation_pools host_routes ipv6_ra_mode ipv6_address_mode tags value_specs segment",
  "OS::Neutron::Router":
    "name external_gateway_info value_specs admin_state_up l3_agent_ids distributed ha tags",
  "OS::Neutron::RouterInterface": "router! subnet port",
  "OS::Neutron::SecurityGroup": "name description rules",
  "OS::Neutron::Port":
    "network! name fixed_ips security_groups port_security_enabled allowed_address_pairs mac_address dns_name value_specs tags admin_state_up binding:vnic_type qos_policy no_fixed_ips",
  "OS::Nova::Server":
    "name image block_device_mapping_v2 flavor! flavor_update_policy image_update_policy key_name availability_zone networks scheduler_hints metadata user_data_format software_config_transport user_data_update_policy user_data config_drive diskConfig reservation_id security_groups tags deployment_swift_data",
  "OS::Nova::ServerGroup": "name policies rules",
  "OS::Cinder::Volume": "name description size! volume_type availability_zone metadata",
  "OS::Designate::RecordSet": "zone! name! type! records! ttl description",
};

const RULE_KEYS =
  "direction ethertype port_range_min port_range_max protocol remote_mode remote_group_id remote_ip_prefix";

export interface ResourceType {
  readonly properties: ReadonlySet<string>;
  readonly needed: readonly string[];
}

export const RESOURCE_TYPES: ReadonlyMap<string, ResourceType> = new Map(
  Object.entries(TYPES).map(([type, line]) => {
    const names = line.split(" ");
    const needed = names.filter((name) => name.endsWith("!")).map((name) => name.slice(0, -1));
    return [type, { properties: new Set(names.map((name) => name.replace("!", ""))), needed }] as const;
  }),
);

export const SECURITY_RULE_KEYS: ReadonlySet<string> = new Set(RULE_KEYS.split(" "));

/** Attributes of those types. */
export const ATTRIBUTES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["OS::Heat::Value", new Set(["value"])],
  ["OS::Heat::WaitCondition", new Set(["data"])],
  ["OS::Heat::WaitConditionHandle", new Set(["token", "endpoint", "curl_cli", "signal"])],
  ["OS::Neutron::Net", new Set(["name", "status", "subnets", "mtu", "segments", "port_security_enabled"])],
  [
    "OS::Neutron::Subnet",
    new Set([
      "name",
      "network_id",
      "cidr",
      "gateway_ip",
      "allocation_pools",
      "ip_version",
      "dns_nameservers",
    ]),
  ],
  ["OS::Neutron::Router", new Set(["name", "status", "external_gateway_info"])],
  ["OS::Neutron::RouterInterface", new Set<string>()],
  ["OS::Neutron::SecurityGroup", new Set<string>()],
  [
    "OS::Neutron::Port",
    new Set([
      "name",
      "status",
      "fixed_ips",
      "mac_address",
      "network_id",
      "security_groups",
      "subnets",
      "dns_assignment",
    ]),
  ],
  [
    "OS::Nova::Server",
    new Set(["name", "addresses", "networks", "first_address", "instance_name", "console_urls", "tags"]),
  ],
  ["OS::Nova::ServerGroup", new Set<string>()],
  ["OS::Cinder::Volume", new Set(["size", "status", "display_name"])],
]);

export const GROUP_ATTRIBUTES: ReadonlySet<string> = new Set([
  "refs",
  "refs_map",
  "attributes",
  "removed_rsrc_list",
]);

/** What stands beside `type` in a resource. */
export const RESOURCE_KEYS: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "metadata",
  "depends_on",
  "update_policy",
  "deletion_policy",
  "external_id",
  "condition",
]);

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, PORTS } from "./lab-settings.ts";

type Section = Readonly<Record<string, string | number | boolean>>;
type IniFile = Readonly<Record<string, Section>>;

/** Writes the configuration of every service. Sections and options are those of the services' own references. */
export function writeIniFiles(lab: Lab): void {
  for (const [name, file] of Object.entries(iniFiles(lab)))
    writeFileSync(join(lab.folder, "etc", `${name}.conf`), textOf(file), { mode: 0o600 });
}

/** An ini file of these sections. */
export function textOf(file: IniFile): string {
  return Object.entries(file)
    .map(([section, options]) => {
      const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}\n`);
      return `[${section}]\n${lines.join("")}`;
    })
    .join("\n");
}

function iniFiles({ folder, address, password }: Lab): Record<string, IniFile> {
  const url = (service: keyof typeof PORTS, path = ""): string =>
    `http://${address}:${PORTS[service]}${path}`;
  const database = (name: string): Section => ({
    connection: `mysql+pymysql://root@${address}:${PORTS.mariadb}/${name}?charset=utf8`,
    max_pool_size: 10,
  });
  const common = { transport_url: `rabbit://guest:guest@${address}:${PORTS.rabbitmq}/`, use_journal: false };
  const login = (username: string): Section => ({
    auth_type: "password",
    auth_url: url("keystone", "/v3"),
    username,
    password,
    user_domain_name: "Default",
    project_domain_name: "Default",
    project_name: "service",
  });
  const tokens = (username: string): Section => ({
    ...login(username),
    www_authenticate_uri: url("keystone", "/v3"),
    memcached_servers: `${address}:${PORTS.memcached}`,
    service_token_roles: "service,admin",
    service_token_roles_required: true,
    interface: "public",
  });
  const concurrency = { lock_path: join(folder, "lock") };
  return {
    keystone: {
      DEFAULT: { log_file: join(folder, "log/keystone.log") },
      database: database("keystone"),
      token: { provider: "fernet", expiration: 86_400 },
      fernet_tokens: { key_repository: join(folder, "keystone/fernet-keys") },
      fernet_receipts: { key_repository: join(folder, "keystone/fernet-keys") },
      credential: { key_repository: join(folder, "keystone/credential-keys") },
      // The cheapest bcrypt: checking passwords is otherwise what costs most here.
      identity: { password_hash_rounds: 4 },
      cache: {
        enabled: true,
        backend: "dogpile.cache.memcached",
        memcache_servers: `${address}:${PORTS.memcached}`,
      },
    },
    placement: {
      DEFAULT: { log_file: join(folder, "log/placement.log") },
      placement_database: database("placement"),
      api: { auth_strategy: "keystone" },
      keystone_authtoken: tokens("placement"),
    },
    glance: {
      DEFAULT: {
        ...common,
        log_file: join(folder, "log/glance.log"),
        bind_host: address,
        bind_port: PORTS.glance,
        workers: 0,
        enabled_import_methods: "[]",
        node_staging_uri: `file://${join(folder, "glance/staging")}`,
      },
      database: database("glance"),
      glance_store: {
        stores: "file",
        default_store: "file",
        filesystem_store_datadir: join(folder, "glance/images"),
      },
      paste_deploy: {
        flavor: "keystone",
        config_file: "/usr/share/glance-common/glance-api-paste.ini",
      },
      keystone_authtoken: tokens("glance"),
      oslo_concurrency: concurrency,
    },
    nova: {
      DEFAULT: {
        ...common,
        my_ip: address,
        state_path: join(folder, "nova"),
        enabled_apis: "osapi_compute",
        osapi_compute_listen: address,
        osapi_compute_workers: 1,
        compute_driver: "fake.MediumFakeDriver",
        // How soon a dead host is known to be dead.
        report_interval: 8,
        service_down_time: 25,
        initial_cpu_allocation_ratio: "1.0",
        initial_ram_allocation_ratio: "1.0",
        initial_disk_allocation_ratio: "1.0",
        reserved_host_memory_mb: 0,
        // No machine boots and nothing changes behind Nova's back: what only looks for that is left out.
        heal_instance_info_cache_interval: -1,
        update_resources_interval: 300,
        sync_power_state_interval: -1,
      },
      api: { auth_strategy: "keystone" },
      wsgi: { api_paste_config: "/usr/share/nova-common/api-paste.ini" },
      api_database: database("nova_api"),
      database: database("nova"),
      scheduler: {
        workers: 1,
        discover_hosts_in_cells_interval: 30,
        // Hosts of an aggregate with trait:CUSTOM_DMZ=required take only flavours that ask for the trait.
        enable_isolated_aggregate_filtering: true,
      },
      conductor: { workers: 1 },
      filter_scheduler: {
        enabled_filters:
          "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter",
      },
      // The late check of anti-affinity on the compute host: two members placed at the same moment.
      workarounds: { disable_group_policy_check_upcall: false },
      glance: { api_servers: url("glance") },
      neutron: { ...login("neutron"), region_name: "RegionOne" },
      placement: { ...login("placement"), region_name: "RegionOne" },
      keystone_authtoken: tokens("nova"),
      oslo_concurrency: concurrency,
      vnc: { enabled: false },
      spice: { enabled: false },
    },
    neutron: {
      DEFAULT: {
        ...common,
        bind_host: address,
        bind_port: PORTS.neutron,
        state_path: join(folder, "neutron"),
        core_plugin: "ml2",
        service_plugins: "router",
        api_workers: 0,
        rpc_workers: 0,
        rpc_state_report_workers: 0,
        api_paste_config: "/usr/share/neutron-common/api-paste.ini",
        auth_strategy: "keystone",
        dhcp_agent_notification: false,
        // Nova's fake driver waits for no port, and asks Neutron a lot for each notice.
        notify_nova_on_port_status_changes: false,
        notify_nova_on_port_data_changes: false,
        agent_down_time: 40,
      },
      quotas: { quota_port: 1000 },
      database: database("neutron"),
      keystone_authtoken: tokens("neutron"),
      nova: { ...login("nova"), region_name: "RegionOne" },
      placement: login("placement"),
      oslo_concurrency: concurrency,
      oslo_messaging_notifications: { driver: "noop" },
      ml2: {
        type_drivers: "flat,vxlan",
        tenant_network_types: "vxlan",
        mechanism_drivers: "openvswitch",
        extension_drivers: "port_security",
      },
      ml2_type_flat: { flat_networks: "external,dmz" },
      ml2_type_vxlan: { vni_ranges: "1000:1999" },
      securitygroup: { enable_security_group: true },
    },
    heat: {
      DEFAULT: {
        ...common,
        log_dir: join(folder, "log"),
        region_name_for_services: "RegionOne",
        num_engine_workers: 1,
        server_keystone_endpoint_type: "public",
        stack_user_domain_name: "heat",
        stack_domain_admin: "heat_domain_admin",
        stack_domain_admin_password: password,
        deferred_auth_method: "trusts",
        auth_encryption_key: password.padEnd(32, "0").slice(0, 32),
        heat_metadata_server_url: url("heatCfn"),
        heat_waitcondition_server_url: url("heatCfn", "/v1/waitcondition"),
        max_resources_per_stack: -1,
        max_stacks_per_tenant: 1000,
        convergence_engine: true,
      },
      heat_api: { bind_host: address, bind_port: PORTS.heat, workers: 1 },
      heat_api_cfn: { bind_host: address, bind_port: PORTS.heatCfn, workers: 1 },
      paste_deploy: { api_paste_config: "/etc/heat/api-paste.ini" },
      database: { ...database("heat"), max_pool_size: 20 },
      cache: { enabled: true, backend: "dogpile.cache.memory" },
      clients: { endpoint_type: "publicURL" },
      clients_keystone: { auth_uri: url("keystone") },
      ec2authtoken: { auth_uri: url("keystone", "/v3") },
      // Without a project: the trust is the scope.
      trustee: {
        auth_type: "password",
        auth_url: url("keystone", "/v3"),
        username: "heat",
        password,
        user_domain_name: "Default",
      },
      keystone_authtoken: tokens("heat"),
      oslo_concurrency: concurrency,
    },
  };
}

import { isDmz, type Lab, PORTS } from "./lab-settings.ts";
import type { Json, OpenStack, Service } from "./open-stack.ts";
import { runToEnd, until } from "./processes.ts";

/** Makes what is not there: looked up by the query, in the collection that the path ends with. */
async function ensure(
  cloud: OpenStack,
  service: Service,
  path: string,
  key: string,
  query: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Json> {
  const found = await cloud.get(service, `/${path}?${new URLSearchParams(query)}`);
  const [first] = found[path] as unknown as Json[];
  if (first !== undefined) return first;
  return (await cloud.post(service, `/${path}`, { [key]: { ...query, ...more } }))[key] as Json;
}

/** A service in the catalogue. */
export async function makeService(
  admin: OpenStack,
  type: string,
  name: string,
  address: string,
): Promise<void> {
  const { id } = (await ensure(admin, "identity", "services", "service", { type, name })) as Json;
  for (const kind of ["public", "internal", "admin"])
    await ensure(
      admin,
      "identity",
      "endpoints",
      "endpoint",
      { service_id: String(id), interface: kind },
      { url: address, region_id: "RegionOne" },
    );
}

/** Services, end points, roles, projects and users. */
export async function makeIdentities(lab: Lab, admin: OpenStack): Promise<void> {
  const url = (port: number, path = ""): string => `http://${lab.address}:${port}${path}`;
  const catalogue: readonly (readonly [string, string, string])[] = [
    ["compute", "nova", url(PORTS.nova, "/v2.1")],
    ["placement", "placement", url(PORTS.placement)],
    ["image", "glance", url(PORTS.glance)],
    ["network", "neutron", url(PORTS.neutron)],
    ["orchestration", "heat", url(PORTS.heat, "/v1/%(tenant_id)s")],
    ["cloudformation", "heat-cfn", url(PORTS.heatCfn, "/v1")],
  ];
  for (const [type, name, address] of catalogue) await makeService(admin, type, name, address);
  await roleNamed(admin, "heat_stack_user");
  await roleNamed(admin, "heat_stack_owner");
  const project = async (name: string): Promise<string> =>
    String((await ensure(admin, "identity", "projects", "project", { name, domain_id: "default" }))["id"]);
  const service = await project("service");
  for (const name of ["nova", "placement", "glance", "neutron", "heat"])
    await grant(lab, admin, name, service, "admin", "service");
  await grant(lab, admin, "admin", await project("admin"), "heat_stack_owner");
  const domain = await ensure(admin, "identity", "domains", "domain", { name: "heat" });
  const keeper = await ensure(
    admin,
    "identity",
    "users",
    "user",
    { name: "heat_domain_admin", domain_id: String(domain["id"]) },
    { password: lab.password },
  );
  await admin.put(
    "identity",
    `/domains/${String(domain["id"])}/users/${String(keeper["id"])}/roles/${await roleNamed(admin, "admin")}`,
  );
}

const FLAVORS: readonly (readonly [string, number, number, number])[] = [
  ["tidewater.bono", 2, 4096, 10],
  ["tidewater.sprout", 2, 4096, 10],
  ["tidewater.homestead", 2, 4096, 10],
  ["tidewater.vellum", 4, 8192, 20],
  ["tidewater.ellis", 2, 4096, 10],
  // As DevStack has it: lab-one-host takes nothing else.
  ["m1.small", 1, 2048, 20],
];

/** Of the project of the VNF: what `tidewater vnf plan` tells to ask for, with room for the largest pools. */
const QUOTAS = {
  instances: 200,
  cores: 500,
  ram: 1_000_000,
  server_groups: 40,
  server_group_members: 64,
};

/** Hosts in their zones, image, flavours, provider networks. */
export async function makeResources(lab: Lab, admin: OpenStack): Promise<void> {
  for (const name of ["tidewater", "tidewater-next"]) {
    const how = { disk_format: "raw", container_format: "bare", visibility: "public" };
    const found = (await admin.get("image", `/images?name=${name}`))["images"] as unknown as Json[];
    const image = found[0] ?? (await admin.post("image", "/images", { name, ...how }));
    if (image["status"] === "queued")
      await admin.request("PUT", "image", `/images/${String(image["id"])}/file`, {
        body: new TextEncoder().encode(name.padEnd(1024)),
        headers: { "Content-Type": "application/octet-stream" },
      });
  }
  const flavors = (await admin.get("compute", "/flavors"))["flavors"] as unknown as { name: string }[];
  for (const [name, vcpus, ram, disk] of FLAVORS)
    if (!flavors.some((flavor) => flavor.name === name)) {
      const made = await admin.post("compute", "/flavors", { flavor: { name, vcpus, ram, disk } });
      if (name === "tidewater.bono")
        await admin.post("compute", `/flavors/${String(made["flavor"]?.["id"])}/os-extra_specs`, {
          extra_specs: { "trait:CUSTOM_DMZ": "required" },
        });
    }
  await makeProviderNetwork(admin, "external", "203.0.113.0/24", true);
  await makeProviderNetwork(admin, "dmz", "198.51.100.0/24", false);
  await makeZones(lab, admin);
  await makeProject(lab, admin, "ims");
}

/** A project, and its user `operator`, who has no rights of an administrator. */
export async function makeProject(lab: Lab, admin: OpenStack, name: string): Promise<void> {
  const found = await ensure(admin, "identity", "projects", "project", { name, domain_id: "default" });
  await grant(lab, admin, "operator", String(found["id"]), "member", "heat_stack_owner");
  await admin.put("compute", `/os-quota-sets/${String(found["id"])}`, { quota_set: QUOTAS });
  const quota = { security_group: 30, security_group_rule: 300 };
  await admin.put("network", `/quotas/${String(found["id"])}`, { quota });
}

async function roleNamed(admin: OpenStack, name: string): Promise<string> {
  return String((await ensure(admin, "identity", "roles", "role", { name }))["id"]);
}

async function grant(
  lab: Lab,
  admin: OpenStack,
  name: string,
  project: string,
  ...roles: readonly string[]
): Promise<void> {
  const query = { name, domain_id: "default" };
  const user = await ensure(admin, "identity", "users", "user", query, { password: lab.password });
  for (const role of roles) {
    const path = `/projects/${project}/users/${String(user["id"])}/roles/${await roleNamed(admin, role)}`;
    await admin.put("identity", path);
  }
}

async function makeProviderNetwork(
  admin: OpenStack,
  name: string,
  cidr: string,
  external: boolean,
): Promise<void> {
  const network = await ensure(
    admin,
    "network",
    "networks",
    "network",
    { name },
    {
      "provider:network_type": "flat",
      "provider:physical_network": name,
      "router:external": external,
      shared: true,
    },
  );
  const query = { name, network_id: String(network["id"]) };
  await ensure(admin, "network", "subnets", "subnet", query, { ip_version: 4, cidr });
}

/** An aggregate for each zone; that of the DMZ takes only flavours that ask for CUSTOM_DMZ. */
async function makeZones(lab: Lab, admin: OpenStack): Promise<void> {
  const names = new Set(lab.hosts.map(({ name }) => name));
  const all = (found: readonly string[]): true | undefined =>
    [...names].every((name) => found.includes(name)) ? true : undefined;
  const list = async (service: Service, path: string, key: string, host: string): Promise<string[]> =>
    ((await admin.get(service, path))[key] as unknown as Json[])
      .filter((entry) => entry["state"] !== "down" && entry["alive"] !== (false as unknown))
      .map((entry) => String(entry[host]));
  await until("compute services", 120, async () =>
    all(await list("compute", "/os-services?binary=nova-compute", "services", "host")),
  );
  const known = (): Promise<string[]> =>
    list("compute", "/os-hypervisors", "hypervisors", "hypervisor_hostname");
  if (all(await known()) === undefined) {
    const conf = `${lab.folder}/etc/nova.conf`;
    await runToEnd(lab, "nova-manage", ["nova-manage", "--config-file", conf, "cell_v2", "discover_hosts"]);
    await until("hypervisors", 90, async () => all(await known()));
  }
  await admin.put("placement", "/traits/CUSTOM_DMZ");
  const zones = [...new Set(lab.hosts.map(({ zone }) => zone))];
  for (const zone of zones) {
    const found = (await admin.get("compute", "/os-aggregates"))["aggregates"] as unknown as Json[];
    const aggregate = found.find((entry) => entry["name"] === zone) ?? (await makeAggregate(admin, zone));
    const there = (aggregate["hosts"] ?? []) as unknown as string[];
    for (const { name } of lab.hosts.filter((host) => host.zone === zone)) {
      if (isDmz(zone)) await addTrait(admin, name);
      if (!there.includes(name))
        await until(`${name} in ${zone}`, 60, () =>
          admin.post("compute", `/os-aggregates/${String(aggregate["id"])}/action`, {
            add_host: { host: name },
          }),
        );
    }
  }
  await until("network agents", 60, async () => all(await list("network", "/agents", "agents", "host")));
}

async function makeAggregate(admin: OpenStack, zone: string): Promise<Json> {
  const wanted = { aggregate: { name: zone, availability_zone: zone } };
  const made = (await admin.post("compute", "/os-aggregates", wanted))["aggregate"] as Json;
  if (isDmz(zone))
    await admin.post("compute", `/os-aggregates/${String(made["id"])}/action`, {
      set_metadata: { metadata: { "trait:CUSTOM_DMZ": "required" } },
    });
  return made;
}

async function addTrait(admin: OpenStack, host: string): Promise<void> {
  const provider = await until(`resource provider of ${host}`, 60, async () => {
    const found = await admin.get("placement", `/resource_providers?name=${host}`);
    return (found["resource_providers"] as unknown as readonly { readonly uuid: string }[])[0];
  });
  const path = `/resource_providers/${provider.uuid}/traits`;
  await until(`trait of ${host}`, 20, async () => {
    const { traits, resource_provider_generation } = (await admin.get("placement", path)) as unknown as {
      traits: string[];
      resource_provider_generation: number;
    };
    if (!traits.includes("CUSTOM_DMZ"))
      await admin.put("placement", path, {
        traits: [...traits, "CUSTOM_DMZ"],
        resource_provider_generation,
      });
    return true;
  });
}

import type { CloudNetwork, Neutron } from "../openstack/neutron.ts";
import { type Check, ok, refuse, warn } from "./check.ts";

/** Networks that members have addresses of their own on. */
const WITH_ADDRESSES = ["mw_network", "core_network"];

/** Networks that are there already and shall be used. */
export async function checkNetworks(
  neutron: Neutron,
  parameters: ReadonlyMap<string, string>,
  checks: Check[],
  signal?: AbortSignal,
): Promise<void> {
  const wanted = [...parameters].filter(([name, value]) => /^[a-z]+_network$/.test(name) && value !== "");
  if (wanted.length === 0) return;
  const networks = await neutron.networks(signal);
  const project = await neutron.project(signal);
  for (const [parameter, value] of wanted) {
    const found = networks.filter(({ name, id }) => name === value || id === value);
    const [network] = found;
    if (network === undefined)
      checks.push(
        refuse(
          "network",
          `${parameter}: there is no network ${value}`,
          "openstack network list shows those there are",
        ),
      );
    else if (found.length > 1)
      checks.push(
        refuse("network", `${parameter}: ${found.length} networks are called ${value}`, "give the id of one"),
      );
    else checks.push(fitness(parameter, value, network, project));
  }
}

function fitness(parameter: string, value: string, network: CloudNetwork, project: string): Check {
  const { subnets, project_id: owner, port_security_enabled: secured } = network;
  if (parameter === "external_network" && !network["router:external"])
    return refuse(
      "network",
      `${parameter}: ${value} is not external`,
      "choose one that a router can go out by",
    );
  if (subnets.length === 0)
    return refuse("network", `${parameter}: ${value} has no subnet`, "give it one: ports need addresses");
  if (parameter === "external_network") return ok("network", `${parameter}: ${value}`);
  // Neutron refuses security groups to ports without it.
  if (secured === false)
    return refuse(
      "network",
      `${parameter}: ${value} has no port security, so members could have no security groups there`,
      `openstack network set --enable-port-security ${value}, for its owner`,
    );
  if (WITH_ADDRESSES.includes(parameter) && owner !== undefined && owner !== project)
    return warn(
      "network",
      `${parameter}: ${value} is another project's: Neutron lets its owner alone choose addresses, unless its policy says otherwise`,
      "give a network of this project, or none: then one is made",
    );
  return ok("network", `${parameter}: ${value}`);
}

import type { VnfModel } from "../model/model.ts";
import type { Cinder } from "../openstack/cinder.ts";
import { isStatus, OpenStackError } from "../openstack/errors.ts";
import type { Glance, Image } from "../openstack/glance.ts";
import type { Heat } from "../openstack/heat.ts";
import type { Neutron } from "../openstack/neutron.ts";
import type { Flavor, Limit, Nova } from "../openstack/nova.ts";
import { type Check, ok, refuse, warn } from "./check.ts";
import type { Deployment } from "./deployment.ts";
import { instanceOf, poolsOf } from "./heat-instance.ts";
import { checkNetworks } from "./preflight-network.ts";
import { checkHosts, checkZones } from "./preflight-placement.ts";
import { checkQuotas, volumeOf } from "./preflight-quota.ts";

export interface PreflightModules {
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly glance: Glance;
  readonly model: VnfModel;
}

export interface PreflightRequest {
  readonly name: string;
  readonly deployment: Deployment;
  /** Hosts of availability zones, by whoever may not ask for them. */
  readonly hosts: ReadonlyMap<string, number>;
}

/** What instantiation would need, looked up before anything is created. All of it is told at once. */
export async function preflight(
  modules: PreflightModules,
  { name, deployment, hosts }: PreflightRequest,
  signal?: AbortSignal,
): Promise<Check[]> {
  const { heat, nova, neutron, cinder, glance, model } = modules;
  const { parameters } = deployment;
  const pools = poolsOf(parameters);
  const checks: Check[] = [];
  const stack = await heat.stack(name, signal);
  const made = stack === undefined ? undefined : instanceOf(stack);
  if (stack !== undefined && made === undefined)
    checks.push(
      refuse("name", `a stack ${name} exists that is none of these templates`, "choose another name"),
    );
  else if (made !== undefined)
    checks.push(warn("name", `${name} exists (${made.status}): the same values go on with it`));
  else checks.push(ok("name", `no stack ${name} yet`));
  const flavors = await nova.flavors(signal);
  const image = await checkImage(glance, parameters.get("image") ?? "", checks, signal);
  for (const pool of pools)
    checkFlavor(pool.pool, parameters.get(`${pool.pool}_flavor`) ?? "", flavors, image, model, checks);
  const guaranteed = parameters.get("placement") !== "unguarded";
  const zones = checkZones(pools, await nova.zones(signal), hosts, guaranteed, checks);
  if (guaranteed) checkHosts(pools, zones, model, checks);
  await checkNetworks(neutron, parameters, checks, signal);
  // What is there already has its quota.
  if (made === undefined)
    checkQuotas(
      pools,
      flavors,
      parameters,
      model,
      await nova.limits(signal),
      await quotasOf(neutron, signal),
      volumeOf(parameters) === 0 ? new Map() : await volumesOf(cinder, checks, signal),
      checks,
    );
  try {
    await heat.validate(deployment.definition, signal);
    checks.push(ok("templates", "Heat accepts templates and parameters"));
  } catch (error) {
    if (!(error instanceof OpenStackError) || !isStatus(error, 400, 403, 404)) throw error;
    const detail = error.detail.code === "REFUSED" ? error.detail.detail : error.message;
    checks.push(refuse("templates", `Heat refuses them: ${detail}`, "correct the parameter it names"));
  }
  return checks;
}

async function checkImage(
  glance: Glance,
  wanted: string,
  checks: Check[],
  signal?: AbortSignal,
): Promise<Image | undefined> {
  const named = await glance.named(wanted, signal);
  const byId = named.length === 0 ? await glance.image(wanted, signal) : undefined;
  const found = byId === undefined ? named : [byId];
  const [image] = found;
  if (image === undefined) {
    checks.push(
      refuse("image", `there is no image ${wanted}`, `tidewater vnf image upload FILE --name ${wanted}`),
    );
    return undefined;
  }
  if (found.length > 1)
    checks.push(refuse("image", `${found.length} images are called ${wanted}`, "give the id of one"));
  else if (image.status !== "active")
    checks.push(
      refuse("image", `image ${wanted} is ${image.status}, not active`, "upload it again, or wait for it"),
    );
  else checks.push(ok("image", `${wanted} (${image.id})`));
  return image;
}

function checkFlavor(
  pool: string,
  wanted: string,
  flavors: readonly Flavor[],
  image: Image | undefined,
  model: VnfModel,
  checks: Check[],
): void {
  const flavor = flavors.find(({ name, id }) => name === wanted || id === wanted);
  const size = model.vdus.find(({ name }) => name === pool)?.size;
  if (flavor === undefined) {
    const how =
      size === undefined
        ? ""
        : ` (openstack flavor create --vcpus ${size.vcpus} --ram ${size.memory} --disk ${size.disk} ${wanted}, for an administrator)`;
    checks.push(
      refuse("flavour", `${pool}: there is no flavour ${wanted}`, `choose one with ${pool}_flavor${how}`),
    );
    return;
  }
  if (image !== undefined && (flavor.disk < image.min_disk || flavor.ram < image.min_ram)) {
    checks.push(
      refuse(
        "flavour",
        `${pool}: ${wanted} has ${flavor.disk} GiB and ${flavor.ram} MiB; the image needs ${image.min_disk} GiB and ${image.min_ram} MiB`,
        `choose a larger one with ${pool}_flavor`,
      ),
    );
    return;
  }
  const small =
    size !== undefined &&
    (flavor.vcpus < size.vcpus || flavor.ram < size.memory || (flavor.disk > 0 && flavor.disk < size.disk));
  checks.push(
    small
      ? warn(
          "flavour",
          `${pool}: ${wanted} is smaller than the model's ${size.vcpus} vCPU, ${size.memory} MiB, ${size.disk} GiB`,
          "for a lab only",
        )
      : ok("flavour", `${pool}: ${wanted}`),
  );
}

/** Neutron without the quota_details extension answers 404. */
async function quotasOf(neutron: Neutron, signal?: AbortSignal): Promise<ReadonlyMap<string, Limit>> {
  try {
    return await neutron.quotas(signal);
  } catch (error) {
    if (isStatus(error, 403, 404)) return new Map();
    throw error;
  }
}

/** A cloud may have no block storage; who wants volumes has to know. */
async function volumesOf(
  cinder: Cinder,
  checks: Check[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Limit>> {
  try {
    return await cinder.limits(signal);
  } catch (error) {
    if (!(error instanceof OpenStackError) || error.detail.code !== "NO_SERVICE") throw error;
    const remedy = "set vellum_volume to 0 and have Cassandra elsewhere, or have Cinder installed";
    checks.push(refuse("volume", "data volumes are wanted, and this cloud has no block storage", remedy));
    return new Map();
  }
}

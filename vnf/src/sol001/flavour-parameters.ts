import { type DeploymentFlavour, spareMembers } from "./deployment-flavour.ts";

/**
 * A deployment flavour at its usual level, as parameters of heat-templates/ims.yaml. A share has to be of the form 1/n: the
 * templates know no other.
 *
 * @throws RangeError for another share
 */
export function flavourParameters(flavour: DeploymentFlavour): Map<string, string | number> {
  const parameters = new Map<string, string | number>();
  if (!flavour.guarded) parameters.set("placement", "unguarded");
  if (flavour.availabilityZone !== undefined)
    for (const zone of new Set(flavour.pools.map(({ vdu }) => vdu.zone)))
      parameters.set(`${zone}_zones`, flavour.availabilityZone);
  const sizes = flavour.levels.find(({ name }) => name === flavour.defaultLevel)?.sizes;
  for (const pool of flavour.pools) {
    const { name, tolerated } = pool.vdu;
    const { numerator, denominator } = tolerated.share;
    if (numerator !== 1) throw new RangeError(`${name}: ${numerator}/${denominator} is not 1/n`);
    const size = sizes?.get(name) ?? pool.sizes[0] ?? 1;
    parameters.set(`${name}_count`, size);
    parameters.set(`${name}_spare`, spareMembers(pool, size));
    parameters.set(`${name}_members_per_share`, flavour.guarded ? denominator : 1);
    parameters.set(`${name}_cell_map`, pool.cellMap.join(","));
    if (flavour.flavor !== undefined) parameters.set(`${name}_flavor`, flavour.flavor);
  }
  return parameters;
}

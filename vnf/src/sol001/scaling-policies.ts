import {
  type DeploymentFlavour,
  type DescriptorVdu,
  descriptorVdus,
  type PoolScaling,
  scaleLevel,
} from "./deployment-flavour.ts";
import { type Profile, policy, type Tosca, type ToscaMap } from "./tosca.ts";

/** Name of the delta of the step that begins at a scale level; uniform aspects have one for all steps. */
function deltaOf(vdus: readonly DescriptorVdu[], level: number): string {
  return isUniform(vdus) ? "step" : `step_${level + 1}`;
}

function isUniform(vdus: readonly DescriptorVdu[]): boolean {
  return vdus.every(({ instances: [first = 0, second = first, ...rest] }) =>
    rest.every((count, at) => count - second === (at + 1) * (second - first)),
  );
}

/** ScalingAspects, initial and further deltas, instantiation levels (SOL 001 clause 6.10). */
export function scalingPolicies(flavour: DeploymentFlavour, profile: Profile): [string, ToscaMap][] {
  const vdus = descriptorVdus(flavour, profile);
  const scaled = flavour.pools.filter(({ sizes }) => sizes.length > 1);
  const of = (pool: PoolScaling): DescriptorVdu[] => vdus.filter((vdu) => vdu.pool === pool);
  const policies: [string, ToscaMap][] = [];
  if (scaled.length > 0)
    policies.push([
      "scaling_aspects",
      policy("ScalingAspects", {
        aspects: Object.fromEntries(
          scaled.map((pool) => [
            pool.vdu.name,
            {
              name: pool.vdu.name,
              description: `${pool.vdu.purpose}: ${pool.step} members a step, ${pool.sizes[0] ?? 0} to ${pool.sizes.at(-1) ?? 0}`,
              max_scale_level: pool.sizes.length - 1,
              step_deltas: stepDeltas(of(pool)),
            },
          ]),
        ),
      }),
    ]);
  for (const vdu of vdus) {
    const [initial = 0] = vdu.instances;
    policies.push([
      `${vdu.id}_initial`,
      policy("VduInitialDelta", { initial_delta: { number_of_instances: initial } }, [vdu.id]),
    ]);
  }
  for (const pool of scaled)
    for (const vdu of of(pool))
      policies.push([
        `${vdu.id}_deltas`,
        policy("VduScalingAspectDeltas", { aspect: pool.vdu.name, deltas: deltas(of(pool), vdu) }, [vdu.id]),
      ]);
  return [...policies, ...levelPolicies(flavour, vdus, scaled)];
}

function stepDeltas(vdus: readonly DescriptorVdu[]): string[] {
  const steps = (vdus[0]?.instances.length ?? 1) - 1;
  return isUniform(vdus) ? ["step"] : Array.from({ length: steps }, (_, level) => deltaOf(vdus, level));
}

function deltas(vdus: readonly DescriptorVdu[], { instances }: DescriptorVdu): ToscaMap {
  const entries = instances
    .slice(1)
    .map((count, level): [string, Tosca] => [
      deltaOf(vdus, level),
      { number_of_instances: count - (instances[level] ?? 0) },
    ]);
  return Object.fromEntries(entries);
}

function levelPolicies(
  flavour: DeploymentFlavour,
  vdus: readonly DescriptorVdu[],
  scaled: readonly PoolScaling[],
): [string, ToscaMap][] {
  const sizeAt = (pool: PoolScaling, sizes: ReadonlyMap<string, number>): number =>
    sizes.get(pool.vdu.name) ?? pool.sizes[0] ?? 0;
  const levels = flavour.levels.map(({ name, description, sizes }): [string, ToscaMap] => [
    name,
    {
      description,
      ...(scaled.length === 0
        ? {}
        : {
            scale_info: Object.fromEntries(
              scaled.map((pool) => [pool.vdu.name, { scale_level: scaleLevel(pool, sizeAt(pool, sizes)) }]),
            ),
          }),
    },
  ]);
  return [
    [
      "instantiation_levels",
      policy("InstantiationLevels", {
        levels: Object.fromEntries(levels),
        default_level: flavour.defaultLevel,
      }),
    ],
    ...vdus.map((vdu): [string, ToscaMap] => [
      `${vdu.id}_levels`,
      policy(
        "VduInstantiationLevels",
        {
          levels: Object.fromEntries(
            flavour.levels.map(({ name, sizes }) => [
              name,
              {
                number_of_instances: vdu.instances[scaleLevel(vdu.pool, sizeAt(vdu.pool, sizes))] ?? 0,
              },
            ]),
          ),
        },
        [vdu.id],
      ),
    ]),
  ];
}

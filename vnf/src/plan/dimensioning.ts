import type { VnfModel } from "../model/model.ts";
import type { Vdu } from "../model/schemas.ts";
import { hostCap } from "../placement/cells.ts";
import type { Share } from "../placement/share.ts";
import { scalingSteps } from "../placement/steps.ts";
import { MEMCACHED_COPIES, MEMCACHED_RECORD_BYTES, type Measured, measuredCosts } from "./measured-costs.ts";
import { type Refusal, toleranceOf } from "./pool-plan.ts";

/** What subscribers do. */
export interface Load {
  readonly subscribers: number;
  /** Calls that each begins in an hour, to another subscriber. Clearwater's stress load: 0.65. */
  readonly callsPerHour: number;
  /** Re-registrations of each in an hour. Clearwater's stress load: 2. */
  readonly registrationsPerHour: number;
}

export interface DimensioningRequest extends Load {
  readonly model: VnfModel;
  /** Part of one processor that a process may be busy in the busy hour, 0 to 1; a node is one thread. */
  readonly utilisation: number;
  readonly shares?: ReadonlyMap<string, Share>;
}

/** One pool, and why it is that large. */
export interface PoolDimensioning {
  readonly pool: string;
  readonly size: number;
  /** Members that have to be there: what a host takes with it is beside them. */
  readonly needed: number;
  readonly by: "processor" | "memory" | "least";
  /** Processors that are busy in all members together: as measured, and between which bounds. */
  readonly processors: { readonly value: number; readonly from: number; readonly to: number } | undefined;
  /** MiB of state in all members together. */
  readonly stateMiB: { readonly value: number; readonly from: number; readonly to: number };
}

export interface Dimensioning {
  readonly load: Load & { readonly callsPerSecond: number; readonly registrationsPerSecond: number };
  readonly pools: readonly PoolDimensioning[];
  readonly machines: number;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** What is not in the arithmetic. */
  readonly notes: readonly string[];
}

export type DimensioningResult =
  | { readonly kind: "dimensioned"; readonly dimensioning: Dimensioning }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

/** Of a machine's memory, for state of a node: V8 gives a heap about half of 4 GiB, and garbage needs room in it. */
const STATE_SHARE = 0.4;
/** However large the machine is: V8's heap is 4 GiB at most, unless NODE_OPTIONS says otherwise. */
const STATE_MOST_MIB = 3_300;
/** Of a vellum's memory (docs/operations/images.md). */
const MEMCACHED_SHARE = 0.5;
const MIB = 2 ** 20;

/** Sizes of all pools of a model for so many subscribers, from what was measured. */
export function dimension(request: DimensioningRequest): DimensioningResult {
  const { model, subscribers, callsPerHour, registrationsPerHour } = request;
  const callsPerSecond = (subscribers * callsPerHour) / 3_600;
  const registrationsPerSecond = (subscribers * registrationsPerHour) / 3_600;
  const pools: PoolDimensioning[] = [];
  const refusals: Refusal[] = [];
  // Those that a deployment may leave out are not sized by subscribers.
  for (const vdu of model.vdus.filter(({ pool }) => pool.default > 0)) {
    const wanted = wantedOf(vdu, { callsPerSecond, registrationsPerSecond, subscribers }, request);
    const size = sizeFor(vdu, wanted.needed, request.shares);
    if (size === undefined)
      refusals.push({
        what: vdu.name,
        reason: `${wanted.needed} ${vdu.name}s are needed by ${wanted.by}, and what a host may take beside them; the model allows ${vdu.pool.max}`,
        remedy:
          wanted.by === "memory"
            ? `larger machines (they have ${vdu.size.memory} MiB), or several deployments`
            : "several deployments, each with a part of the subscribers",
      });
    else pools.push({ pool: vdu.name, size, ...wanted });
  }
  if (refusals.length > 0) return { kind: "refused", refusals };
  const sum = (of: (vdu: Vdu) => number): number =>
    model.vdus.reduce(
      (all, vdu) => all + of(vdu) * (pools.find(({ pool }) => pool === vdu.name)?.size ?? 0),
      0,
    );
  return {
    kind: "dimensioned",
    dimensioning: {
      load: { subscribers, callsPerHour, registrationsPerHour, callsPerSecond, registrationsPerSecond },
      pools,
      machines: sum(() => 1),
      vcpus: sum(({ size }) => size.vcpus),
      memoryMiB: sum(({ size }) => size.memory),
      notes: [
        `Cassandra: ${Math.ceil(registrationsPerSecond)} durable writes a second for registrations, three copies each; how many a node of it takes was not measured, vellum is sized by memcached alone`,
        "application servers, charging, TURN, TLS and media gateways cost what they cost beside this",
      ],
    },
  };
}

interface Rates {
  readonly callsPerSecond: number;
  readonly registrationsPerSecond: number;
  readonly subscribers: number;
}

function wantedOf(
  vdu: Vdu,
  { callsPerSecond, registrationsPerSecond, subscribers }: Rates,
  { utilisation }: DimensioningRequest,
): Omit<PoolDimensioning, "pool" | "size"> {
  const cost = Object.hasOwn(measuredCosts, vdu.name)
    ? measuredCosts[vdu.name as keyof typeof measuredCosts]
    : undefined;
  const bounds = (
    of: (measured: Measured) => (bound: "value" | "from" | "to") => number,
    measured: Measured,
  ) => ({
    value: of(measured)("value"),
    from: of(measured)("from"),
    to: of(measured)("to"),
  });
  if (cost === undefined) {
    const stateMiB = bounds(
      (measured) => (bound) => (subscribers * measured[bound] * MEMCACHED_COPIES) / MIB,
      MEMCACHED_RECORD_BYTES,
    );
    const byMemory = Math.ceil(stateMiB.value / (vdu.size.memory * MEMCACHED_SHARE));
    return {
      needed: Math.max(1, byMemory),
      by: byMemory > 1 ? "memory" : "least",
      processors: undefined,
      stateMiB,
    };
  }
  const busy = (bound: "value" | "from" | "to"): number =>
    (registrationsPerSecond * cost.registration[bound] + callsPerSecond * cost.call[bound]) / 1e6;
  const processors = { value: busy("value"), from: busy("from"), to: busy("to") };
  const stateMiB = bounds((measured) => (bound) => (subscribers * measured[bound]) / MIB, cost.subscriber);
  const byProcessor = Math.ceil(processors.value / utilisation);
  const byMemory = Math.ceil(stateMiB.value / Math.min(STATE_MOST_MIB, vdu.size.memory * STATE_SHARE));
  const needed = Math.max(1, byProcessor, byMemory);
  return {
    needed,
    by: needed === 1 ? "least" : byMemory > byProcessor ? "memory" : "processor",
    processors,
    stateMiB,
  };
}

/** The smallest aligned size, the usual one at least, of which `needed` are left when a host takes what it may. */
function sizeFor(
  vdu: Vdu,
  needed: number,
  shares: ReadonlyMap<string, Share> | undefined,
): number | undefined {
  const share = shares?.get(vdu.name) ?? shares?.get("");
  const tolerance = toleranceOf(
    share === undefined ? { vdu, size: vdu.pool.max } : { vdu, size: vdu.pool.max, share },
  );
  const { default: usual, max } = vdu.pool;
  // Where a host holds the same number at every size, every size is a stop.
  const any = hostCap(tolerance, usual) === hostCap(tolerance, max);
  const sizes = any ? Array.from({ length: max }, (_, index) => index + 1) : scalingSteps(tolerance, 0, max);
  return sizes.find((size) => size >= usual && size - hostCap(tolerance, size) >= needed);
}

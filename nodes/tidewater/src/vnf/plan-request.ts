import {
  type AvailabilityZone,
  type Dimensioning,
  dimension,
  type Refusal,
  readShare,
  type Share,
  type VnfModel,
  type VnfRequest,
} from "@ims/vnf";

/** The load of Clearwater's stress node: 1.3 calls for each subscriber in the busy hour, half of them begun by him. */
export const REFERENCE_LOAD = { callsPerHour: 0.65, registrationsPerHour: 2, utilisation: 0.5 } as const;

export interface PlanOptions {
  readonly pool?: readonly string[];
  readonly share?: readonly string[];
  readonly zone?: readonly string[];
  readonly subscribers?: number;
  readonly callsPerHour?: number;
  readonly registrationsPerHour?: number;
  readonly utilisation?: number;
  readonly memory?: readonly string[];
}

export type PlanRequestReading =
  | {
      readonly kind: "request";
      readonly request: VnfRequest;
      /** With the machines that were asked for. */
      readonly model: VnfModel;
      readonly dimensioning?: Dimensioning;
    }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] }
  | { readonly kind: "bad"; readonly problem: string };

class Wrong extends Error {}

/** What `tidewater vnf plan` was asked, in terms of the model. */
export function planRequestOf(options: PlanOptions, given: VnfModel): PlanRequestReading {
  try {
    const model = withMemory(given, options.memory ?? []);
    const shares = sharesOf(options.share ?? [], model);
    let dimensioning: Dimensioning | undefined;
    if (options.subscribers !== undefined) {
      const { callsPerHour, registrationsPerHour, utilisation } = { ...REFERENCE_LOAD, ...options };
      const load = { subscribers: options.subscribers, callsPerHour, registrationsPerHour };
      const result = dimension({ model, ...load, utilisation, shares });
      if (result.kind === "refused") return result;
      dimensioning = result.dimensioning;
    }
    const wanted = dimensioning?.pools.map(({ pool, size }) => `${pool}=${size}`);
    const pools = poolsOf(wanted ?? options.pool ?? [], model).map((pool) => {
      const share = shares.get(pool.vdu.name) ?? shares.get("");
      return share === undefined ? pool : { ...pool, share };
    });
    const request = { pools, zones: zonesOf(options.zone ?? [], model) };
    return { kind: "request", request, model, ...(dimensioning === undefined ? {} : { dimensioning }) };
  } catch (error) {
    if (error instanceof Wrong) return { kind: "bad", problem: error.message };
    throw error;
  }
}

/** The model with machines of another size. */
function withMemory(model: VnfModel, texts: readonly string[]): VnfModel {
  const sizes = new Map<string, number>();
  for (const text of texts) {
    const [, name = "", size = ""] = /^([a-z][a-z0-9-]*)=(\d{3,7})$/.exec(text) ?? [];
    if (name === "") throw new Wrong(`--memory ${text}: write <pool>=<MiB>`);
    sizes.set(vduNamed(name, model, `--memory ${text}`).name, Number(size));
  }
  const vdus = model.vdus.map((vdu) => ({
    ...vdu,
    size: { ...vdu.size, memory: sizes.get(vdu.name) ?? vdu.size.memory },
  }));
  return { ...model, vdus };
}

function poolsOf(texts: readonly string[], model: VnfModel): VnfRequest["pools"] {
  const usual = model.vdus.filter(({ pool }) => pool.default > 0);
  if (texts.length === 0) return usual.map((vdu) => ({ vdu, size: vdu.pool.default }));
  const seen = new Set<string>();
  return texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      const [, name = "", size = "", max] = /^([a-z][a-z0-9-]*)=(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
      if (name === "")
        throw new Wrong(`--pool ${text}: write <pool>=<size> or <pool>=<size>-<greatest size>`);
      if (seen.has(name)) throw new Wrong(`--pool ${text}: ${name} is planned already`);
      seen.add(name);
      const vdu = vduNamed(name, model, `--pool ${text}`);
      return { vdu, size: Number(size), ...(max === undefined ? {} : { max: Number(max) }) };
    });
}

/** By pool; "" is for all others. */
function sharesOf(texts: readonly string[], model: VnfModel): Map<string, Share> {
  const shares = new Map<string, Share>();
  for (const text of texts) {
    const [, name = "", value = ""] = /^(?:([^=]*)=)?([^=]*)$/.exec(text) ?? [];
    if (name !== "") vduNamed(name, model, `--share ${text}`);
    const read = readShare(value);
    if (read.kind === "bad") throw new Wrong(`--share ${text}: ${read.problem}`);
    shares.set(name, read.share);
  }
  return shares;
}

function zonesOf(texts: readonly string[], model: VnfModel): Map<string, AvailabilityZone[]> {
  const zones = new Map<string, AvailabilityZone[]>();
  for (const text of texts) {
    const [, name = "", list = ""] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
    if (name === "") throw new Wrong(`--zone ${text}: write <zone>=<availability zone>[:<hosts>],...`);
    if (!model.zones.some((zone) => zone.name === name))
      throw new Wrong(`--zone ${text}: no zone ${name} in the model, only ${namesOf(model.zones)}`);
    zones.set(
      name,
      list.split(",").map((entry) => {
        const [, az = "", hosts] = /^([^\s:,]+)(?::(\d{1,5}))?$/.exec(entry) ?? [];
        if (az === "") throw new Wrong(`--zone ${text}: ${entry} is not <availability zone>[:<hosts>]`);
        return { name: az, ...(hosts === undefined ? {} : { hosts: Number(hosts) }) };
      }),
    );
  }
  return zones;
}

function vduNamed(name: string, model: VnfModel, where: string): VnfModel["vdus"][number] {
  const vdu = model.vdus.find((candidate) => candidate.name === name);
  if (vdu === undefined)
    throw new Wrong(`${where}: no pool ${name} in the model, only ${namesOf(model.vdus)}`);
  return vdu;
}

function namesOf(entries: readonly { readonly name: string }[]): string {
  return entries.map(({ name }) => name).join(", ");
}

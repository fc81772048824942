import {
  type CompiledCriteria,
  compileFilterCriteria,
  type EvaluatedRequest,
  effortOfRequest,
  type InitialFilterCriteria,
  nextMatching,
  type ServiceProfile,
} from "@ims/ims";

/** What the operator has beside the criteria in profiles. */
export interface OperatorCriteria {
  /** By SharedIFCSetID. */
  readonly shared: ReadonlyMap<number, readonly InitialFilterCriteria[]>;
  /** For an initial request that meets no criteria of its user. */
  readonly fallback: readonly InitialFilterCriteria[];
}

export const NO_OPERATOR_CRITERIA: OperatorCriteria = { shared: new Map(), fallback: [] };

/** Where in which list a chain is. */
export interface ChainPlace {
  readonly list: "profile" | "fallback";
  readonly priority: number;
  /** Among the criteria of that priority. */
  readonly place: number;
}

export interface Met extends ChainPlace {
  readonly criteria: InitialFilterCriteria;
}

/** The filter criteria of one service profile, compiled. */
export interface Criteria {
  /** The next that a request meets: TS 23.218 §5.2.2. `after`: the last one met; undefined at the start. */
  next(request: EvaluatedRequest, after: ChainPlace | undefined): Met | undefined;
  /** All that a request meets, in order. */
  all(request: EvaluatedRequest): readonly Met[];
}

interface Known {
  readonly sharedIfcSetIds: ServiceProfile["sharedIfcSetIds"];
  readonly criteria: Criteria;
}

/** Compiles the criteria of profiles, once for all users whose profiles have the same ones in memory (`ProfileTemplates`). */
export class FilterCriteria {
  #operator: OperatorCriteria;
  #fallback: readonly CompiledCriteria[];
  #known = new WeakMap<ServiceProfile["initialFilterCriteria"], Known>();

  constructor(operator: OperatorCriteria = NO_OPERATOR_CRITERIA) {
    this.#operator = operator;
    this.#fallback = compileFilterCriteria(operator.fallback);
  }

  /** From now on these; requests on their way go on by priority. */
  replace(operator: OperatorCriteria): void {
    this.#operator = operator;
    this.#fallback = compileFilterCriteria(operator.fallback);
    this.#known = new WeakMap();
  }

  /** Undefined when no request of that user can meet any. */
  of(profile: ServiceProfile): Criteria | undefined {
    if (
      profile.initialFilterCriteria.length === 0 &&
      profile.sharedIfcSetIds.length === 0 &&
      this.#fallback.length === 0
    )
      return undefined;
    const { initialFilterCriteria, sharedIfcSetIds } = profile;
    const known = this.#known.get(initialFilterCriteria);
    if (known?.sharedIfcSetIds === sharedIfcSetIds) return known.criteria;
    const criteria = criteriaOf(this.#ownOf(profile), this.#fallback);
    this.#known.set(initialFilterCriteria, { sharedIfcSetIds, criteria });
    return criteria;
  }

  /** Application servers that requests of that user may be sent to. */
  serverNames(profile: ServiceProfile): ReadonlySet<string> {
    const all = [...this.#ownOf(profile), ...this.#fallback];
    return new Set(all.map(({ criteria }) => criteria.applicationServer.serverName));
  }

  /** Sets that profiles name and nobody has provided are empty. */
  #ownOf({ initialFilterCriteria, sharedIfcSetIds }: ServiceProfile): readonly CompiledCriteria[] {
    const shared = sharedIfcSetIds.flatMap((id) => this.#operator.shared.get(id) ?? []);
    return compileFilterCriteria([...initialFilterCriteria, ...shared]);
  }
}

function criteriaOf(own: readonly CompiledCriteria[], fallback: readonly CompiledCriteria[]): Criteria {
  const lists = { profile: own, fallback };
  const next = (
    request: EvaluatedRequest,
    after: ChainPlace | undefined,
    effort = effortOfRequest(),
  ): Met | undefined => {
    const list = after?.list ?? "profile";
    const compiled = lists[list];
    const found = nextMatching(
      compiled,
      request,
      after === undefined ? 0 : positionAfter(compiled, after),
      effort,
    );
    if (found !== undefined)
      return { criteria: found.criteria, list, ...placeOf(compiled, found.criteria, found.position) };
    if (after !== undefined) return undefined;
    const last = nextMatching(fallback, request, 0, effort);
    return (
      last && {
        criteria: last.criteria,
        list: "fallback",
        ...placeOf(fallback, last.criteria, last.position),
      }
    );
  };
  return {
    next,
    all: (request) => {
      const effort = effortOfRequest();
      const met: Met[] = [];
      for (let one = next(request, undefined, effort); one !== undefined; one = next(request, one, effort))
        met.push(one);
      return met;
    },
  };
}

function placeOf(
  compiled: readonly CompiledCriteria[],
  { priority }: InitialFilterCriteria,
  position: number,
): { priority: number; place: number } {
  let first = position;
  while (first > 0 && compiled[first - 1]?.criteria.priority === priority) first--;
  return { priority, place: position - first };
}

/** By priority, so that a profile that has changed meanwhile neither repeats nor leaves out what has not. */
function positionAfter(compiled: readonly CompiledCriteria[], { priority, place }: ChainPlace): number {
  let position = 0;
  while ((compiled[position]?.criteria.priority ?? Number.POSITIVE_INFINITY) < priority) position++;
  for (let skipped = 0; skipped <= place && compiled[position]?.criteria.priority === priority; skipped++)
    position++;
  return position;
}

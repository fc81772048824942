import type { Clock } from "@ims/runtime";
import cassandra, {
  type Client,
  type EmptyCallback,
  type ExecutionOptions,
  type Host,
  type HostMap,
} from "cassandra-driver";

/** A host that let this many requests in a row wait is suspect. */
const STRIKES = 2;
/** So long is a suspect asked last; then one request tries it first. */
const SUSPECT_MS = 1000;

interface Suspicion {
  strikes: number;
  until: number;
}

/**
 * Replicas first, in the local data centre; but a host that lets requests wait is asked last until it answers again. The
 * driver notices a frozen host only when its heartbeat fails, seconds later.
 */
export class SuspectsLastPolicy extends cassandra.policies.loadBalancing.LoadBalancingPolicy {
  readonly #inner: cassandra.policies.loadBalancing.LoadBalancingPolicy;
  readonly #clock: Clock;
  readonly #suspicions = new Map<string, Suspicion>();

  constructor(inner: cassandra.policies.loadBalancing.LoadBalancingPolicy, clock: Clock) {
    super();
    this.#inner = inner;
    this.#clock = clock;
  }

  override init(client: Client, hosts: HostMap, callback: EmptyCallback): void {
    this.#inner.init(client, hosts, callback);
  }

  override getDistance(host: Host): cassandra.types.distance {
    return this.#inner.getDistance(host);
  }

  override newQueryPlan(
    keyspace: string,
    options: ExecutionOptions,
    callback: (error: Error, plan: Iterator<Host>) => void,
  ): void {
    this.#inner.newQueryPlan(keyspace, options, (error, plan) =>
      callback(error, plan === undefined ? plan : this.order({ [Symbol.iterator]: () => plan })),
    );
  }

  /** The plan, suspects last. That a next host is asked for means that the one before did not answer in time. */
  *order(plan: Iterable<Host>): Generator<Host, void, undefined> {
    const suspects: Host[] = [];
    let asked: Host | undefined;
    for (const host of plan) {
      if (this.#isSuspect(host)) {
        suspects.push(host);
        continue;
      }
      if (asked !== undefined) this.#letWait(asked);
      asked = host;
      yield host;
    }
    if (asked !== undefined && suspects.length > 0) this.#letWait(asked);
    yield* suspects;
  }

  /** For the request tracker: the host answered something. */
  answered(host: Host): void {
    this.#suspicions.delete(host.address);
  }

  #letWait(host: Host): void {
    const suspicion = this.#suspicions.get(host.address) ?? { strikes: 0, until: 0 };
    suspicion.strikes++;
    suspicion.until = this.#clock.monotonic() + SUSPECT_MS;
    this.#suspicions.set(host.address, suspicion);
  }

  #isSuspect(host: Host): boolean {
    const suspicion = this.#suspicions.get(host.address);
    if (suspicion === undefined || suspicion.strikes < STRIKES) return false;
    const now = this.#clock.monotonic();
    if (now < suspicion.until) return true;
    suspicion.until = now + SUSPECT_MS;
    return false;
  }
}

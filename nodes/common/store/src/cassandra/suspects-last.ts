import type { Clock } from "@ims/runtime";
import cassandra, {
  type Client,
  type EmptyCallback,
  type ExecutionOptions,
  type Host,
  type HostMap,
} from "cassandra-driver";

/**
 * So long is a suspect asked last; then one request tries it first. A frozen host is dropped for its heartbeat before, one that
 * was only slow is soon cleared by an answer to something else.
 */
const SUSPECT_MS = 3000;

/**
 * Replicas first, in the local data centre; but a host that lets a request wait is asked last until it answers again. The
 * driver notices a frozen host only when its heartbeat fails, seconds later.
 */
export class SuspectsLastPolicy extends cassandra.policies.loadBalancing.LoadBalancingPolicy {
  readonly #inner: cassandra.policies.loadBalancing.LoadBalancingPolicy;
  readonly #clock: Clock;
  /** Address to when it is tried again. */
  readonly #suspects = new Map<string, number>();

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
    this.#suspects.delete(host.address);
  }

  #letWait(host: Host): void {
    this.#suspects.set(host.address, this.#clock.monotonic() + SUSPECT_MS);
  }

  #isSuspect(host: Host): boolean {
    const until = this.#suspects.get(host.address);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#letWait(host);
    return false;
  }
}

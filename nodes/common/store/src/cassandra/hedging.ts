import cassandra from "cassandra-driver";

/** A second node is asked after so long. A condition costs more round trips, and two at once on one row cost each other more. */
const PLAIN_MS = 40;
const CONDITION_MS = 100;
/** Second tries, at most, besides the first one on each of three replicas. */
const MORE_TRIES = 2;
/** Without savings a request is not left to a silent node either, but it gets one other node only, and late. */
const LAST_RESORT_MS = 500;
/** A cluster that is slow as a whole must not get three times the load: one hedge for ten requests, and this many saved up. */
const EARNED_PER_REQUEST = 0.1;
const SAVED_AT_MOST = 200;

/** When an idempotent statement goes to another node although the first one may still answer. */
export class HedgingPolicy extends cassandra.policies.speculativeExecution.NoSpeculativeExecutionPolicy {
  #saved = SAVED_AT_MOST;
  #hedged = 0;

  /** Second tries so far. */
  get hedged(): number {
    return this.#hedged;
  }

  override newPlan(_keyspace: string, query: string | object[]): { nextExecution: () => number } {
    const delay = typeof query === "string" && hasCondition(query) ? CONDITION_MS : PLAIN_MS;
    this.#saved = Math.min(SAVED_AT_MOST, this.#saved + EARNED_PER_REQUEST);
    let started = 0;
    let early = false;
    return {
      // Called after each start, the first one included: from the second time on a hedge has been made.
      nextExecution: () => {
        if (started++ > 0) {
          this.#hedged++;
          if (early) this.#saved--;
        }
        if (started > MORE_TRIES) return -1;
        early = this.#saved >= 1;
        if (early) return delay;
        return started > 1 ? -1 : LAST_RESORT_MS;
      },
    };
  }
}

/** A lightweight transaction. */
function hasCondition(cql: string): boolean {
  return /\bIF\b/.test(cql);
}

const MORE_HOSTS = 2;

/** A failed try of an idempotent statement goes to the next node; the driver asks for others only where nothing was executed. */
export class NextHostPolicy extends cassandra.policies.retry.RetryPolicy {
  override onUnavailable(
    info: cassandra.policies.retry.OperationInfo,
  ): cassandra.policies.retry.DecisionInfo {
    return this.#nextHost(info);
  }

  override onReadTimeout(
    info: cassandra.policies.retry.OperationInfo,
  ): cassandra.policies.retry.DecisionInfo {
    return this.#nextHost(info);
  }

  override onWriteTimeout(
    info: cassandra.policies.retry.OperationInfo,
  ): cassandra.policies.retry.DecisionInfo {
    return this.#nextHost(info);
  }

  override onRequestError(
    info: cassandra.policies.retry.OperationInfo,
  ): cassandra.policies.retry.DecisionInfo {
    return this.#nextHost(info);
  }

  #nextHost({ nbRetry }: cassandra.policies.retry.OperationInfo): cassandra.policies.retry.DecisionInfo {
    if (nbRetry >= MORE_HOSTS) return this.rethrowResult();
    const unchanged = undefined as unknown as cassandra.types.consistencies; // the types do not say that it may be left out
    return this.retryResult(unchanged, false);
  }
}

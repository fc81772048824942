import type { Timer } from "@ims/runtime";
import cassandra from "cassandra-driver";
import { storeProblems } from "../problems.ts";
import { DriverSession, faultOf } from "./driver-session.ts";
import { CassandraError } from "./errors.ts";
import { migrate } from "./migrate.ts";
import type { OpenCassandraOptions } from "./open-cassandra.ts";
import type {
  BatchEntry,
  CassandraSession,
  ExecuteOptions,
  ExecuteResult,
  SessionCounters,
  Statement,
} from "./session.ts";

/** The name that Cassandra gives to a data centre when nobody gives one. */
export const DEFAULT_DATA_CENTER = "datacenter1";
/** Below what a REGISTER or a Cx answer may take, above the time-outs of the nodes (1.5 s). */
const DEADLINE_MS = 2000;
const MOST_COPIES = 3;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;

/**
 * A session that has one driver after the other: none until the cluster is there and its schema up to date, a new one when all
 * nodes were lost. While some are left, the driver looks after itself.
 */
export class OpeningSession implements CassandraSession {
  readonly keyspace: string;
  /** The first driver is connected. Rejects when the options or the schema are refused. */
  readonly opened: Promise<void>;
  readonly #options: OpenCassandraOptions;
  #session: DriverSession | undefined;
  #why: Error = new CassandraError({ code: "CASSANDRA_AWAY", problem: "not connected yet" });
  #waiting: { readonly timer: Timer; readonly done: () => void } | undefined;
  /** Of drivers that were lost, and what was asked while there was none. */
  #before: SessionCounters = { requests: 0, unavailable: 0, hedged: 0 };
  #closed = false;

  constructor(options: OpenCassandraOptions) {
    this.#options = options;
    this.keyspace = options.keyspace;
    if (!/^[a-z][a-z0-9_]{0,47}$/.test(options.keyspace))
      throw new CassandraError({
        code: "CASSANDRA_SCHEMA",
        keyspace: options.keyspace,
        problem: "not a name for a keyspace",
      });
    this.opened = this.#open(true);
    this.opened.catch(() => undefined); // whoever has gone on without looks at the log
  }

  get isAvailable(): boolean {
    return this.#session?.isAvailable ?? false;
  }

  get counters(): SessionCounters {
    const now = this.#session?.counters;
    return now === undefined ? this.#before : sum(this.#before, now);
  }

  execute(
    statement: Statement,
    params: readonly unknown[],
    options?: ExecuteOptions,
  ): Promise<ExecuteResult> {
    return this.#session?.execute(statement, params, options) ?? this.#away();
  }

  batch(entries: readonly BatchEntry[], options?: ExecuteOptions): Promise<ExecuteResult> {
    return this.#session?.batch(entries, options) ?? this.#away();
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    this.#why = new CassandraError({ code: "CASSANDRA_AWAY", problem: "the session is closed" });
    this.#waiting?.timer.cancel();
    this.#waiting?.done();
    await this.#session?.shutdown();
  }

  #away(): Promise<ExecuteResult> {
    this.#before = sum(this.#before, { requests: 1, unavailable: 1, hedged: 0 });
    return Promise.resolve({ kind: "unavailable", cause: this.#why });
  }

  /** Tries until the cluster is there. At the start a refusal rejects; later it is logged, and an operator repairs the schema. */
  async #open(atStart: boolean): Promise<void> {
    const { log, clock } = this.#options;
    const began = clock.monotonic();
    let refused = false;
    for (let retryMs = FIRST_RETRY_MS; !this.#closed; retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)) {
      const isFirstTry = retryMs === FIRST_RETRY_MS;
      try {
        if (await this.#tryOnce()) {
          log?.info({ ms: Math.round(clock.monotonic() - began) }, "Cassandra is connected");
          return;
        }
      } catch (error) {
        if (atStart && isFirstTry) throw error;
        if (!refused)
          log?.error(
            { err: error, problemId: storeProblems.schemaRefused.id },
            "the schema in Cassandra is not for this program",
          );
        refused = true;
      }
      if (this.#closed) return;
      if (isFirstTry)
        log?.warn(
          { problem: this.#why.message, problemId: storeProblems.cassandraAway.id },
          "Cassandra is away; trying on",
        );
      await this.#pause(retryMs);
    }
  }

  /** false: the cluster is away. Rejects when the schema or the options are refused. */
  async #tryOnce(): Promise<boolean> {
    const { localDataCenter = DEFAULT_DATA_CENTER, deadlineMs = DEADLINE_MS, ...options } = this.#options;
    let session: DriverSession;
    try {
      const onLost = (): void => this.#lost(session);
      session = await DriverSession.connect({ ...options, localDataCenter, deadlineMs, onLost });
    } catch (error) {
      this.#why = faultOf(error);
      if (isMistake(error)) throw this.#why;
      return false;
    }
    try {
      const copies = Math.min(MOST_COPIES, Math.max(session.hosts, options.contactPoints.length));
      const { schemas } = options;
      const migrated =
        schemas === undefined
          ? ({ kind: "migrated" } as const)
          : await migrate(session, {
              schemas,
              clock: options.clock,
              localDataCenter,
              replicationFactor: options.replicationFactor ?? copies,
              ...(options.replication === undefined ? {} : { replication: options.replication }),
              ...(options.log === undefined ? {} : { log: options.log }),
            });
      if (migrated.kind === "migrated" && !this.#closed && session.isAvailable) {
        this.#session = session;
        return true;
      }
      if (migrated.kind === "unavailable") this.#why = migrated.cause;
    } catch (error) {
      this.#why = faultOf(error);
      await session.shutdown();
      throw error;
    }
    await session.shutdown();
    return false;
  }

  #lost(session: DriverSession): void {
    if (this.#session !== session) return; // not in use yet: #tryOnce finds out
    this.#before = sum(this.#before, session.counters);
    this.#session = undefined;
    if (this.#closed) return;
    this.#why = new CassandraError({ code: "CASSANDRA_AWAY", problem: "all nodes are down" });
    void this.#open(false);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { timer: this.#options.clock.setTimer(ms, done), done };
    });
  }
}

function sum(a: SessionCounters, b: SessionCounters): SessionCounters {
  return {
    requests: a.requests + b.requests,
    unavailable: a.unavailable + b.unavailable,
    hedged: a.hedged + b.hedged,
  };
}

/** The options are wrong, the name of the data centre for one. */
function isMistake(error: unknown): boolean {
  if (error instanceof cassandra.errors.NoHostAvailableError)
    return Object.values((error.innerErrors ?? {}) as Record<string, unknown>).some(isMistake);
  return error instanceof TypeError || error instanceof cassandra.errors.ArgumentError;
}

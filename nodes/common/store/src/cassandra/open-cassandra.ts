import type { Clock, Logger, Timer } from "@ims/runtime";
import cassandra from "cassandra-driver";
import { type ConnectOptions, DriverSession, faultOf } from "./driver-session.ts";
import { CassandraError } from "./errors.ts";
import { migrate, type Schema } from "./migrate.ts";
import type {
  BatchEntry,
  CassandraSession,
  ExecuteOptions,
  ExecuteResult,
  SessionCounters,
  Statement,
} from "./session.ts";

export const DEFAULT_DATA_CENTER = "datacenter1";
/** Below what a REGISTER or a Cx answer may take, above the time-outs of the nodes (1.5 s). */
const DEADLINE_MS = 2000;
const CONNECT_WITHIN_MS = 5000;
const MOST_COPIES = 3;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;

export interface OpenCassandraOptions {
  /** host:port of some nodes; names are resolved again when none of them answers. */
  readonly contactPoints: readonly string[];
  readonly keyspace: string;
  readonly clock: Clock;
  readonly log?: Logger;
  /** Default "datacenter1". */
  readonly localDataCenter?: string;
  /** Brought up to date before the first request is let through. */
  readonly schemas?: readonly Schema[];
  /** Copies of each row, when the keyspace has to be created. Default: 3, or as many as there are nodes. */
  readonly replicationFactor?: number;
  /** Of a request, retries included. Default 2000. */
  readonly deadlineMs?: number;
  /** How long to wait for the cluster before going on without. Default 5000. */
  readonly connectWithinMs?: number;
  readonly credentials?: ConnectOptions["credentials"];
  readonly tls?: NonNullable<ConnectOptions["tls"]>;
}

/**
 * Connects and brings the schema up to date. When the cluster is away the session comes back all the same, unavailable, and
 * goes on trying. @throws CassandraError CASSANDRA_SCHEMA when the schema is newer than this program or not ours; found later, it
 * keeps the session unavailable and says so in the log.
 */
export async function openCassandra(options: OpenCassandraOptions): Promise<CassandraSession> {
  const session = new OpeningSession(options);
  let late: Timer | undefined;
  const patience = new Promise<void>((resolve) => {
    late = options.clock.setTimer(options.connectWithinMs ?? CONNECT_WITHIN_MS, resolve);
  });
  try {
    await Promise.race([session.opened, patience]);
  } catch (error) {
    await session.shutdown();
    throw error;
  } finally {
    late?.cancel();
  }
  return session;
}

/** Passes requests on once the cluster is there. */
class OpeningSession implements CassandraSession {
  readonly keyspace: string;
  readonly opened: Promise<void>;
  readonly #options: OpenCassandraOptions;
  #session: DriverSession | undefined;
  #why: Error = new CassandraError({ code: "CASSANDRA_AWAY", problem: "not connected yet" });
  #waiting: { readonly timer: Timer; readonly done: () => void } | undefined;
  #unanswered = 0;
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
    this.opened = this.#open();
    this.opened.catch(() => undefined); // whoever has gone on without looks at the log
  }

  get isAvailable(): boolean {
    return this.#session?.isAvailable ?? false;
  }

  get counters(): SessionCounters {
    const { requests, unavailable, hedged } = this.#session?.counters ?? {
      requests: 0,
      unavailable: 0,
      hedged: 0,
    };
    return { requests: requests + this.#unanswered, unavailable: unavailable + this.#unanswered, hedged };
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
    this.#unanswered++;
    return Promise.resolve({ kind: "unavailable", cause: this.#why });
  }

  async #open(): Promise<void> {
    const { log } = this.#options;
    const began = this.#options.clock.monotonic();
    let refusal: unknown;
    for (let retryMs = FIRST_RETRY_MS; !this.#closed; retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)) {
      try {
        if (await this.#tryOnce()) {
          log?.info({ ms: Math.round(this.#options.clock.monotonic() - began) }, "Cassandra is connected");
          return;
        }
      } catch (error) {
        // Found at once, the node does not start. Found after a while, it runs on: an operator repairs the schema below it.
        if (retryMs === FIRST_RETRY_MS) throw error;
        if (refusal === undefined)
          log?.error({ err: error }, "the schema in Cassandra is not for this program");
        refusal = error;
      }
      if (retryMs === FIRST_RETRY_MS)
        log?.warn({ problem: this.#why.message }, "Cassandra is away; trying on");
      await this.#pause(retryMs);
    }
  }

  /** false: the cluster is away. Rejects when the schema or the options are refused. */
  async #tryOnce(): Promise<boolean> {
    const { localDataCenter = DEFAULT_DATA_CENTER, deadlineMs = DEADLINE_MS, ...options } = this.#options;
    let session: DriverSession;
    try {
      session = await DriverSession.connect({ ...options, localDataCenter, deadlineMs });
    } catch (error) {
      this.#why = faultOf(error);
      if (isMistake(error)) throw this.#why;
      return false;
    }
    try {
      const migrated = await migrate(session, {
        schemas: options.schemas ?? [],
        clock: options.clock,
        localDataCenter,
        ...(options.log === undefined ? {} : { log: options.log }),
        replicationFactor:
          options.replicationFactor ??
          Math.min(MOST_COPIES, Math.max(session.hosts, options.contactPoints.length)),
      });
      if (migrated.kind === "migrated" && !this.#closed) {
        this.#session = session;
        return true;
      }
      if (migrated.kind === "unavailable") this.#why = migrated.cause;
    } catch (error) {
      this.#why = error instanceof Error ? error : new Error(String(error));
      await session.shutdown();
      throw error;
    }
    await session.shutdown();
    return false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { timer: this.#options.clock.setTimer(ms, done), done };
    });
  }
}

/** The options are wrong, the name of the data centre for one. */
function isMistake(error: unknown): boolean {
  if (error instanceof cassandra.errors.NoHostAvailableError)
    return Object.values((error.innerErrors ?? {}) as Record<string, unknown>).some(isMistake);
  return error instanceof TypeError || error instanceof cassandra.errors.ArgumentError;
}

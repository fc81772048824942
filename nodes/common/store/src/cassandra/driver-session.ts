import type { ConnectionOptions } from "node:tls";
import { asError, type Clock, type Logger } from "@ims/runtime";
import cassandra from "cassandra-driver";
import { storeProblems } from "../problems.ts";
import { CassandraError } from "./errors.ts";
import { HedgingPolicy, NextHostPolicy } from "./hedging.ts";
import type {
  BatchEntry,
  CassandraSession,
  ExecuteOptions,
  ExecuteResult,
  Row,
  SessionCounters,
  Statement,
} from "./session.ts";
import { SuspectsLastPolicy } from "./suspects-last.ts";

const { consistencies, responseErrorCodes } = cassandra.types;

const CONSISTENCY = {
  "local-quorum": consistencies.localQuorum,
  "local-serial": consistencies.localSerial,
  "local-one": consistencies.localOne,
  "each-quorum": consistencies.eachQuorum,
} as const;

/** Below the wait for an answer: a dead peer is found by its heartbeat within two of these. */
const HEARTBEAT_MS = 1000;
/** Longer than the driver takes to open one connection. */
const LOOKING_MS = 3000;
/** The driver's own time-out comes after our deadline. */
const AFTER_DEADLINE_MS = 1000;
const SCHEMA_DEADLINE_MS = 20_000;
const PAGE_ROWS = 5000;

export interface ConnectOptions {
  /** host:port, some nodes of the cluster; the others are found through them. */
  readonly contactPoints: readonly string[];
  readonly localDataCenter: string;
  readonly keyspace: string;
  readonly clock: Clock;
  readonly log?: Logger | undefined;
  readonly deadlineMs: number;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  readonly tls?: ConnectionOptions | undefined;
  /** No node of the local data centre is left; the session is of no more use and closes itself. Called once. */
  readonly onLost: () => void;
}

/** A session on a driver that has been connected. */
export class DriverSession implements CassandraSession {
  readonly keyspace: string;
  readonly #client: cassandra.Client;
  readonly #clock: Clock;
  readonly #localDataCenter: string;
  readonly #deadlineMs: number;
  readonly #hedging: HedgingPolicy;
  readonly #qualified = new Map<string, string>();
  #requests = 0;
  #unavailable = 0;
  #closed = false;

  private constructor(client: cassandra.Client, hedging: HedgingPolicy, options: ConnectOptions) {
    this.#client = client;
    this.#localDataCenter = options.localDataCenter;
    this.#hedging = hedging;
    this.keyspace = options.keyspace;
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs;
  }

  /** Rejects when no contact point answers, and with ArgumentError or TypeError for options that cannot be right. */
  static async connect(options: ConnectOptions): Promise<DriverSession> {
    const hedging = new HedgingPolicy();
    const client = clientOf(options, hedging);
    try {
      await client.connect();
    } catch (error) {
      closeLeftovers(client);
      throw error;
    }
    const session = new DriverSession(client, hedging, options);
    client.on("hostDown", () => {
      if (session.#closed || session.isAvailable) return;
      void session.#giveUp();
      options.onLost();
    });
    return session;
  }

  /** Nodes of the cluster, those that are down included. */
  get hosts(): number {
    return this.#client.hosts.length;
  }

  get isAvailable(): boolean {
    if (this.#closed) return false;
    const hosts = this.#client.hosts.values();
    return hosts.some((host) => host.isUp() && host.datacenter === this.#localDataCenter);
  }

  get counters(): SessionCounters {
    return { requests: this.#requests, unavailable: this.#unavailable, hedged: this.#hedging.hedged };
  }

  execute(
    statement: Statement,
    params: readonly unknown[],
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult> {
    const { schema = false, consistency = "local-quorum" } = statement;
    const deadlineMs = options.deadlineMs ?? (schema ? SCHEMA_DEADLINE_MS : this.#deadlineMs);
    return this.#within(deadlineMs, () =>
      this.#client.execute(this.#qualify(statement.cql), [...params], {
        prepare: !schema,
        isIdempotent: statement.idempotent && !schema, // two nodes that create a table at once make two of it
        consistency: CONSISTENCY[consistency],
        serialConsistency: consistencies.localSerial,
        readTimeout: deadlineMs + AFTER_DEADLINE_MS,
        fetchSize: options.pageRows ?? PAGE_ROWS,
        ...(options.page === undefined ? {} : { pageState: options.page }),
      }),
    );
  }

  batch(entries: readonly BatchEntry[], options: ExecuteOptions = {}): Promise<ExecuteResult> {
    if (entries.length === 0) return Promise.resolve({ kind: "rows", rows: [], tries: 0 });
    const deadlineMs = options.deadlineMs ?? this.#deadlineMs;
    const queries = entries.map(({ statement, params }) => ({
      query: this.#qualify(statement.cql),
      params: [...params],
    }));
    return this.#within(deadlineMs, () =>
      this.#client.batch(queries, {
        prepare: true,
        logged: false,
        isIdempotent: entries.every(({ statement }) => statement.idempotent),
        consistency: consistencies.localQuorum,
        serialConsistency: consistencies.localSerial,
        readTimeout: deadlineMs + AFTER_DEADLINE_MS,
      }),
    );
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    await this.#client.shutdown().catch(() => undefined);
  }

  /** The driver is still looking for a node, and one that it finds now it would forget to let go. */
  async #giveUp(): Promise<void> {
    await this.shutdown();
    this.#clock.setTimer(LOOKING_MS, () => closeLeftovers(this.#client));
  }

  #qualify(cql: string): string {
    const known = this.#qualified.get(cql);
    if (known !== undefined) return known;
    const qualified = cql.replaceAll(/\bkeyspace\.(?=[a-z])/g, `${this.keyspace}.`);
    this.#qualified.set(cql, qualified);
    return qualified;
  }

  /** The driver knows a deadline a try, not one for all of them. Rejects with TypeError or SyntaxError for parameters that do not fit. */
  async #within(deadlineMs: number, send: () => Promise<cassandra.types.ResultSet>): Promise<ExecuteResult> {
    this.#requests++;
    if (this.#closed)
      return this.#failed(new CassandraError({ code: "CASSANDRA_AWAY", problem: "the session is closed" }));
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(deadlineMs, () =>
        resolve(this.#failed(new CassandraError({ code: "CASSANDRA_DEADLINE", deadlineMs }))),
      );
      send().then(
        (result) => {
          timer.cancel();
          resolve(rowsOf(result));
        },
        (error: unknown) => {
          timer.cancel();
          if (error instanceof TypeError || error instanceof SyntaxError) reject(error);
          else resolve(this.#failed(faultOf(error)));
        },
      );
    });
  }

  #failed(cause: Error): ExecuteResult {
    this.#unavailable++;
    return { kind: "unavailable", cause };
  }
}

/** Tells the policy who answers. The driver insists on a descendant of its own class. */
class AnswerTracker extends cassandra.tracker.RequestLogger {
  readonly #policy: SuspectsLastPolicy;

  constructor(policy: SuspectsLastPolicy) {
    super({});
    this.#policy = policy;
  }

  override onSuccess(host: cassandra.Host): void {
    this.#policy.answered(host);
  }

  override onError(...[host, , , , , error]: Parameters<cassandra.tracker.RequestLogger["onError"]>): void {
    if (error instanceof cassandra.errors.ResponseError) this.#policy.answered(host);
  }
}

function clientOf(options: ConnectOptions, hedging: HedgingPolicy): cassandra.Client {
  const { loadBalancing, reconnection } = cassandra.policies;
  const balancing = new SuspectsLastPolicy(
    new loadBalancing.TokenAwarePolicy(new loadBalancing.DCAwareRoundRobinPolicy(options.localDataCenter)),
    options.clock,
  );
  const client = new cassandra.Client({
    contactPoints: [...options.contactPoints],
    localDataCenter: options.localDataCenter,
    ...(options.credentials === undefined ? {} : { credentials: { ...options.credentials } }),
    ...(options.tls === undefined ? {} : { sslOptions: options.tls }),
    policies: {
      loadBalancing: balancing,
      reconnection: new reconnection.ExponentialReconnectionPolicy(200, 2000, false),
      retry: new NextHostPolicy(),
      speculativeExecution: hedging,
    },
    requestTracker: new AnswerTracker(balancing),
    protocolOptions: { maxVersion: 4, maxSchemaAgreementWaitSeconds: 5 },
    pooling: { heartBeatInterval: HEARTBEAT_MS },
    socketOptions: { connectTimeout: 1000, readTimeout: 1000 },
    prepareOnAllHosts: false,
    encoding: { useBigIntAsLong: true },
    monitorReporting: { enabled: false },
  });
  const { log } = options;
  if (log !== undefined) {
    client.on("hostUp", (host: cassandra.Host) => log.info({ host: host.address }, "Cassandra node is up"));
    client.on("hostDown", (host: cassandra.Host) =>
      log.warn(
        { host: host.address, problemId: storeProblems.cassandraNodeDown.id },
        "Cassandra node is down",
      ),
    );
    client.on("log", (level: string, part: string, message: string) => {
      if (level !== "verbose") log.debug({ part }, message);
    });
  }
  return client;
}

/**
 * Closes what a client holds on to after a failed connect or after a shutdown in the middle of its reconnecting: version 4.10
 * forgets the control connection then. Reaches into the driver for want of a door; does nothing when that looks different.
 */
function closeLeftovers(client: cassandra.Client): void {
  const inside = client as unknown as {
    readonly controlConnection?: {
      readonly connection?: { close?(): void } | null;
      readonly hosts?: { values?(): readonly { shutdown?(wait: boolean): Promise<void> }[] };
      shutdown?(): void;
    };
  };
  inside.controlConnection?.shutdown?.();
  inside.controlConnection?.connection?.close?.();
  for (const host of inside.controlConnection?.hosts?.values?.() ?? [])
    host.shutdown?.(false).catch(() => undefined);
}

function rowsOf(result: cassandra.types.ResultSet): ExecuteResult {
  // Hosts that were skipped as down are written as text; null is an answer or a silence, an Error a try that failed.
  const tried = Object.values((result.info.triedHosts ?? {}) as Record<string, unknown>);
  const tries = Math.max(1, tried.filter((outcome) => typeof outcome !== "string").length);
  const rows = (result.rows ?? []) as unknown as readonly Row[];
  const nextPage = result.pageState;
  return { kind: "rows", rows, tries, ...(nextPage ? { nextPage } : {}) };
}

const REFUSALS: ReadonlySet<number> = new Set([
  responseErrorCodes.syntaxError,
  responseErrorCodes.unauthorized,
  responseErrorCodes.invalid,
  responseErrorCodes.configError,
  responseErrorCodes.alreadyExists,
]);

/** In a line: the driver's own text holds the stack of every try. */
export function faultOf(error: unknown): Error {
  if (error instanceof cassandra.errors.NoHostAvailableError) {
    const tried = Object.entries((error.innerErrors ?? {}) as Record<string, unknown>);
    const problem = tried.map(([host, why]) => `${host}: ${firstLine(why)}`).join(", ");
    return new CassandraError({ code: "CASSANDRA_AWAY", problem: problem || firstLine(error) });
  }
  if (error instanceof cassandra.errors.ResponseError && REFUSALS.has(error.code))
    return new CassandraError({ code: "CASSANDRA_STATEMENT", problem: error.message }, { cause: error });
  return asError(error);
}

function firstLine(problem: unknown): string {
  const text = problem instanceof Error ? problem.message : String(problem ?? "no answer");
  return text.split("\n")[0] ?? text;
}

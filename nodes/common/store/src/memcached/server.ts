import type { Clock, Logger, LoopPacer, Timer } from "@ims/runtime";
import { StoreError } from "../errors.ts";
import { storeProblems } from "../problems.ts";
import type { StoreTls } from "../tls.ts";
import { lifetimeToken, metaDelete, metaGet, metaSet } from "./commands.ts";
import { Connection, type Ending, type Lost } from "./connection.ts";
import type { MemcachedCounters } from "./counters.ts";
import type { Reply } from "./meta-protocol.ts";
import { placeSeed } from "./placement.ts";
import type { ReadOutcome, Replica, Token, WriteOutcome } from "./replica.ts";
import type { ServerAddress } from "./server-address.ts";

export interface ServerOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly maxPending: number;
  readonly counters: MemcachedCounters;
  readonly pacer?: LoopPacer;
  readonly tls?: StoreTls | undefined;
  readonly log?: Logger;
  /** A number in [0, 1) for the jitter of reconnection. */
  readonly random: () => number;
  /** The server answers (again). `whole`: it has kept, or was given back, what it should hold. */
  readonly onUp: (server: Server, whole: boolean) => void;
}

/** Set on a server that holds all that it should; a server that starts again does not have it. */
const WHOLE = "tidewater/whole";
/** Held by the node that fills a server up. */
const FILLING = "tidewater/filling";

const FIRST_BACKOFF_MS = 50;
const LAST_BACKOFF_MS = 1_000;
/** Within this time of a server's return every node has tried it again, with time to spare for an attempt that hangs. */
const SETTLED_MS = 2.5 * LAST_BACKOFF_MS;
/** A connection that lasted this long starts the back-off anew. */
const STABLE_MS = 5_000;

/** One memcached: keeps a connection to it, says whether it answers. */
export class Server implements Replica {
  readonly id: string;
  readonly seed: number;
  readonly address: ServerAddress;
  readonly #options: ServerOptions;
  #connection: Connection | undefined;
  #up = false;
  #upSince = 0;
  #stopped = true;
  #failures = 0;
  #connections = 0;
  #retry: Timer | undefined;
  #down: StoreError;
  readonly #firstOutcome: (() => void)[] = [];

  constructor(address: ServerAddress, options: ServerOptions) {
    this.id = address.id;
    this.seed = placeSeed(address.id);
    this.address = address;
    this.#options = options;
    this.#down = this.#fault("not started");
  }

  get up(): boolean {
    return this.#up;
  }

  /** Up for so long that every other node has had time to connect to it as well, or since before this one began. */
  get isSettled(): boolean {
    return this.#up && this.#options.clock.monotonic() - this.#upSince >= SETTLED_MS;
  }

  /** Resolves when the first attempt has come to an end, good or bad. */
  start(): Promise<void> {
    if (!this.#stopped) return Promise.resolve();
    this.#stopped = false;
    return new Promise((resolve) => {
      this.#firstOutcome.push(resolve);
      this.#connect();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#connection?.close("stopped");
  }

  async read(key: string): Promise<ReadOutcome> {
    const connection = this.#connection;
    if (connection === undefined || !this.#up) return { kind: "away", cause: this.#down };
    const opaque = connection.nextOpaque();
    const reply = await connection.request(opaque, metaGet(key, opaque));
    if (reply.code === "VA" && reply.value !== undefined)
      return {
        kind: "item",
        bytes: reply.value,
        seconds: reply.seconds,
        token: { connection, cas: reply.cas },
      };
    if (reply.code === "EN") return { kind: "missing", token: { connection, cas: "absent" } };
    return { kind: "away", cause: this.#unexpected(connection, reply) };
  }

  async write(key: string, bytes: Uint8Array, seconds: number, token: Token): Promise<WriteOutcome> {
    const connection = this.#connection;
    if (connection === undefined || !this.#up) return { kind: "away", sent: false, cause: this.#down };
    if (connection !== token.connection) return { kind: "stale" };
    const opaque = connection.nextOpaque();
    const lifetime = lifetimeToken(seconds, this.#options.clock.now());
    const command = metaSet(key, bytes.length, lifetime, token.cas, opaque);
    const reply = await connection.request(opaque, command, bytes);
    if (reply.code === "HD") return { kind: "accepted", token: { connection, cas: reply.cas } };
    if (reply.code === "EX" || reply.code === "NS" || reply.code === "NF") return { kind: "refused" };
    const sent = reply.code !== "lost" || reply.sent;
    return { kind: "away", sent, cause: this.#unexpected(connection, reply) };
  }

  /** Asks to be the one that fills this server up, for so many seconds. */
  async claimFilling(seconds: number): Promise<boolean> {
    return (await this.#plainSet(FILLING, seconds, "absent"))?.code === "HD";
  }

  /** Whether the filling up is still ours to do; prolongs it. */
  async renewFilling(seconds: number): Promise<boolean> {
    return (await this.#plainSet(FILLING, seconds, "any"))?.code === "HD";
  }

  /** From now on the server counts as whole, for every node. */
  async markWhole(): Promise<void> {
    await this.#plainSet(WHOLE, 0, "any");
    const connection = this.#connection;
    if (connection === undefined) return;
    const opaque = connection.nextOpaque();
    await connection.request(opaque, metaDelete(FILLING, "any", opaque));
  }

  /** Undefined: it does not answer. */
  async isWhole(): Promise<boolean | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    const opaque = connection.nextOpaque();
    const reply = await connection.request(opaque, metaGet(WHOLE, opaque));
    return reply.code === "VA" ? true : reply.code === "EN" ? false : undefined;
  }

  async #plainSet(key: string, seconds: number, cas: "absent" | "any"): Promise<Reply | Lost | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    const opaque = connection.nextOpaque();
    const lifetime = seconds === 0 ? "0" : lifetimeToken(seconds, 0);
    return connection.request(opaque, metaSet(key, 1, lifetime, cas, opaque), Buffer.from("1"));
  }

  #connect(): void {
    const { clock, deadlineMs, maxPending, pacer, tls } = this.#options;
    const connection = new Connection(
      {
        host: this.address.host,
        port: this.address.port,
        clock,
        deadlineMs,
        maxPending,
        tls,
        ...(pacer === undefined ? {} : { pacer }),
      },
      (ending, problem) => this.#ended(connection, ending, problem),
    );
    this.#connection = connection;
    if (this.#connections++ > 0) this.#options.counters.reconnects++;
    // A hung server still accepts connections: only an answer counts.
    const opaque = connection.nextOpaque();
    void connection.request(opaque, metaGet(WHOLE, opaque)).then((reply) => {
      if (this.#connection !== connection || this.#stopped) return;
      if (reply.code !== "VA" && reply.code !== "EN") return connection.close("no answer to mg");
      this.#up = true;
      this.#upSince = this.#connections === 1 ? Number.NEGATIVE_INFINITY : clock.monotonic();
      this.#options.log?.info({ server: this.id, whole: reply.code === "VA" }, "memcached answers");
      this.#options.onUp(this, reply.code === "VA");
      this.#tellFirst();
    });
  }

  #ended(connection: Connection, ending: Ending, problem: string): void {
    if (this.#connection !== connection) return;
    const { clock, counters, log, random } = this.#options;
    if (ending === "timeout") counters.timeouts++;
    if (ending === "broken") counters.broken++;
    const was = this.#up;
    this.#connection = undefined;
    this.#up = false;
    this.#down = this.#fault(problem);
    this.#tellFirst();
    if (this.#stopped) return;
    if (was || this.#failures === 0)
      log?.warn(
        { server: this.id, problem, problemId: storeProblems.memcachedServerAway.id },
        "memcached is away",
      );
    if (was && clock.monotonic() - this.#upSince > STABLE_MS) this.#failures = 0;
    const backoff = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(10, this.#failures++));
    this.#retry = clock.setTimer(backoff * (0.5 + random() / 2), () => this.#connect());
  }

  #tellFirst(): void {
    for (const resolve of this.#firstOutcome.splice(0)) resolve();
  }

  /** A refusal for lack of memory, a lost connection, or a reply that does not fit, which ends the connection. */
  #unexpected(connection: Connection, reply: Reply | Lost): StoreError {
    if (reply.code === "lost") return this.#fault(reply.problem);
    if (reply.code === "SE") return this.#fault(reply.text);
    connection.close(`"${reply.code}" does not answer the request`);
    return this.#fault(`"${reply.code}" does not answer the request`);
  }

  #fault(problem: string): StoreError {
    return new StoreError({ code: "STORE_SERVER", server: this.id, problem });
  }
}

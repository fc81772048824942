import type { IncomingMessage } from "node:http";
import type { Server } from "node:net";
import type { Clock } from "../clock.ts";
import { type LoadMonitor, loadMonitor } from "../load-monitor.ts";
import type { Logger } from "../log/logger.ts";
import type { MetricsRegister } from "../metrics/register.ts";
import { type AdmissionClass, AdmissionControl } from "../overload/admission-control.ts";
import { clientName } from "./client-name.ts";
import { ConnectionGuard } from "./connection-guard.ts";
import { FileAllowance } from "./file-allowance.ts";
import { HttpBusyError } from "./http-busy-error.ts";
import { RequestTurns, type Turn } from "./request-turns.ts";

export interface HttpAdmissionOptions {
  readonly clock: Clock;
  /** How long a request may wait before others are refused, ms; 0: never. */
  readonly targetMs: number;
  /** Requests a second always taken. */
  readonly floor: number;
  /** Requests that are worked on at once, and those that wait for one of these to end. */
  readonly atOnce?: number;
  readonly waiting?: number;
  /** Connections of all clients, and of one. */
  readonly connections?: number;
  readonly connectionsEach?: number;
  readonly log?: Pick<Logger, "info">;
  readonly register?: MetricsRegister;
  /** `<prefix>_http_...` */
  readonly metricsPrefix?: string;
  readonly random?: () => number;
}

/** "files": sent from memory; up to an allowance they are taken whatever the delay is, beyond it they are "normal". */
export type HttpWork = AdmissionClass | "files";

/** What the hooks need of fastify's requests. */
interface HookRequest {
  readonly raw: IncomingMessage;
  /** Not there any more once the connection has ended. */
  readonly ip: string | undefined;
}
interface HookReply {
  header(name: string, value: string): unknown;
}

/** For the hooks of the same names of a fastify server. */
export interface HttpHooks {
  readonly onRequest: (request: HookRequest, reply: HookReply) => Promise<void>;
  readonly preHandler: (request: HookRequest) => Promise<void>;
  readonly onSend: (request: HookRequest, reply: unknown, payload: unknown, done: () => void) => void;
}

const AT_ONCE = 64;
const WAITING = 256;
const LONGEST_WAIT_MS = 2_000;
const CONNECTIONS = 4_096;
const CONNECTIONS_EACH = 512;
/** A refusal waits for so long, and its connection is not read meanwhile: who asks again at once is slowed down. */
const REFUSED_AFTER_MS = 100;
const REFUSED_AFTER_SPREAD_MS = 300;
/** More than this is answered at once, and the connection ends. */
const REFUSALS_WAITING = 512;
/** Bodies up to this are read although the request is refused, so that the connection can be used again. */
const SMALL_BODY = 16_384;
/** Retry-After, s: from, and up to that much more for each time the load is what can be served. */
const RETRY_FROM = 1;
const RETRY_SPREAD = 4;
const RETRY_LONGEST = 60;
/** Files a second whatever the delay is: several pages of one client, and a tenth of a processor for all. */
const FILES_EACH = 256;
const FILES = 1_024;
/** How long a client's requests are counted to know who asks for more than its share. */
const SHARE_MS = 1_000;

/**
 * The door of a process's HTTP servers. While the event loop, or requests in their queue, wait longer than the target, no more is taken than
 * gets done; who asks for more than its share is refused first. So many are worked on at once, so many wait, client by client in turn.
 * Clients that hold too many connections, or are too slow to send or to read, are cut off.
 */
export class HttpAdmission {
  readonly #options: HttpAdmissionOptions;
  readonly #control: AdmissionControl;
  readonly #turns: RequestTurns;
  readonly #guard: ConnectionGuard;
  readonly #monitor: LoadMonitor;
  readonly #random: () => number;
  readonly #working = new WeakMap<IncomingMessage, Turn>();
  readonly #files: FileAllowance;
  /** Taken as files: they wait for nobody and tell nothing of what the process gets done. */
  readonly #asFiles = new WeakSet<IncomingMessage>();
  /** Requests of each client in this second, and in the one before. */
  #asked = new Map<string, number>();
  #askedBefore: ReadonlyMap<string, number> = new Map();
  #sinceMs = 0;
  #offered = 0;
  #refused = 0;
  #refusedTotal = 0;
  #refusalsWaiting = 0;
  #oversubscription = 1;

  constructor(options: HttpAdmissionOptions) {
    const { clock, targetMs, floor, atOnce = AT_ONCE, waiting = WAITING } = options;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#control = new AdmissionControl({
      targetMs: targetMs === 0 ? Number.POSITIVE_INFINITY : targetMs,
      floor,
      now: () => clock.monotonic(),
      capacity: "answered",
    });
    this.#turns = new RequestTurns({ clock, atOnce, waiting, longestMs: LONGEST_WAIT_MS });
    this.#files = new FileAllowance({ clock, each: FILES_EACH, all: FILES });
    this.#guard = new ConnectionGuard({
      clock,
      most: options.connections ?? CONNECTIONS,
      each: options.connectionsEach ?? CONNECTIONS_EACH,
    });
    this.#monitor = loadMonitor({
      clock,
      queues: [() => this.#turns.longestWait()],
      onSample: ({ delayMs, elapsedMs }) => this.measured(delayMs, elapsedMs),
    });
    this.#registerMetrics();
  }

  start(): void {
    void this.#monitor.start();
    this.#guard.start();
  }

  stop(): void {
    void this.#monitor.stop();
    this.#guard.stop();
  }

  /** Why an operator should look: requests are limited now. */
  get problem(): string | undefined {
    return this.#control.limiting ? `limited, ${this.#refusedTotal} requests refused so far` : undefined;
  }

  /** Takes a server under its care, before it listens. */
  guard(server: Server): void {
    this.#guard.watch(server);
  }

  /** `kind`: what comes in at this server, or by these routes; "privileged" is refused last. */
  hooks(kind: HttpWork): HttpHooks {
    return {
      onRequest: (request, reply) => this.#arrives(request, reply, kind),
      preHandler: (request) => this.#begins(request),
      onSend: (request, _reply, _payload, done) => {
        this.#ends(request.raw);
        done();
      },
    };
  }

  /** One measurement; the load monitor calls it. */
  measured(delayMs: number, elapsedMs: number): void {
    const before = this.#control.limiting;
    this.#control.measured(delayMs, elapsedMs);
    if (this.#offered > 0)
      this.#oversubscription = Math.min(8, this.#offered / Math.max(1, this.#offered - this.#refused));
    this.#offered = 0;
    this.#refused = 0;
    this.#sinceMs += elapsedMs;
    if (this.#sinceMs >= SHARE_MS) {
      this.#askedBefore = this.#asked;
      this.#asked = new Map();
      this.#sinceMs = 0;
    }
    if (before === this.#control.limiting) return;
    const fields = { delayMs: Math.round(delayMs), refused: this.#refusedTotal };
    if (before) this.#options.log?.info(fields, "overload of HTTP is over");
    else
      this.#options.log?.info(
        { ...fields, rate: Math.round(this.#control.rate) },
        "overload: HTTP requests are limited",
      );
  }

  async #arrives(request: HookRequest, reply: HookReply, work: HttpWork): Promise<void> {
    const client = clientName(request.ip ?? "");
    if (work === "files" && this.#files.takes(client)) {
      this.#asFiles.add(request.raw);
      return;
    }
    const kind = work === "files" ? "normal" : work;
    this.#offered++;
    const asked = (this.#asked.get(client) ?? 0) + 1;
    this.#asked.set(client, asked);
    const isFull = kind !== "exempt" && this.#turns.isFull(client);
    if (!isFull && this.#control.admit(this.#classOf(kind, client, asked))) return;
    await this.#refuse(request.raw, reply);
  }

  /** Who asks for less than its share of what can be served is not the one who is too much. */
  #classOf(kind: AdmissionClass, client: string, asked: number): AdmissionClass {
    if (kind !== "normal" || !this.#control.limiting) return kind;
    const clients = Math.max(this.#askedBefore.size, this.#asked.size);
    const share = Math.max(1, (this.#control.rate * SHARE_MS) / 1000 / clients);
    const most = Math.max(asked, this.#askedBefore.get(client) ?? 0);
    return clients > 1 && most <= share ? "privileged" : "normal";
  }

  async #begins({ raw, ip }: HookRequest): Promise<void> {
    if (this.#working.has(raw) || this.#asFiles.has(raw)) return;
    const turn = await this.#turns.take(clientName(ip ?? ""), raw);
    if (turn === undefined) {
      this.#count();
      throw new HttpBusyError(this.#retryAfter());
    }
    this.#working.set(raw, turn);
  }

  /** What was worked on has an answer, whether or not somebody still waits for it. */
  #ends(raw: IncomingMessage): void {
    const turn = this.#working.get(raw);
    if (turn === undefined) return;
    this.#working.delete(raw);
    this.#control.served();
    turn.end();
  }

  #count(): void {
    this.#refused++;
    this.#refusedTotal++;
  }

  async #refuse(raw: IncomingMessage, reply: HookReply): Promise<never> {
    this.#count();
    const { socket } = raw;
    const length = Number(raw.headers["content-length"] ?? 0);
    const isCrowded = this.#refusalsWaiting >= REFUSALS_WAITING;
    // A body that nobody wants is not read.
    if (isCrowded || length > SMALL_BODY || raw.headers["transfer-encoding"] !== undefined)
      reply.header("connection", "close");
    if (!isCrowded) {
      this.#refusalsWaiting++;
      socket.pause();
      await new Promise<void>((resolve) => {
        this.#options.clock.setTimer(REFUSED_AFTER_MS + this.#random() * REFUSED_AFTER_SPREAD_MS, resolve);
      });
      if (!socket.destroyed) socket.resume();
      this.#refusalsWaiting--;
    }
    throw new HttpBusyError(this.#retryAfter());
  }

  /** Seconds, another for each: RFC 9110 §10.2.3. */
  #retryAfter(): number {
    const spread = Math.min(RETRY_LONGEST, RETRY_SPREAD * this.#oversubscription);
    return RETRY_FROM + Math.floor(this.#random() * (spread + 1));
  }

  #registerMetrics(): void {
    const { register, metricsPrefix: prefix = "ims" } = this.#options;
    if (register === undefined) return;
    register.gauge({
      name: `${prefix}_http_connections`,
      help: "HTTP connections that are open",
      value: () => this.#guard.open,
    });
    register.gauge({
      name: `${prefix}_http_requests_in_progress`,
      help: "HTTP requests that are worked on",
      value: () => this.#turns.working,
    });
    register.gauge({
      name: `${prefix}_http_requests_waiting`,
      help: "HTTP requests that wait for others to end",
      value: () => this.#turns.waiting,
    });
    register.gauge({
      name: `${prefix}_http_admission_rate`,
      help: "HTTP requests a second that are taken; 0: no limit",
      value: () => (this.#control.limiting ? this.#control.rate : 0),
    });
    register.gauge({
      name: `${prefix}_http_refused_total`,
      help: "HTTP requests refused because of overload",
      type: "counter",
      value: () => this.#refusedTotal,
    });
    register.gauge({
      name: `${prefix}_http_connections_cut_total`,
      help: "HTTP connections cut: too many of one client, or too slow",
      type: "counter",
      value: () => this.#guard.cut,
    });
  }
}

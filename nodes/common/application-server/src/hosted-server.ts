import { canonicalImpu } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import {
  type AckContext,
  decimal,
  type Own,
  parseNameAddr,
  popOwnRoutes,
  type RequestContext,
  type SipMessage,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import type { ApplicationServer, ThirdPartyRegistration } from "./application-server.ts";
import { HostedRequest, ownRoutes } from "./hosted-request.ts";
import type { Hosting } from "./hosting.ts";

export interface HostedServerOptions {
  readonly name: string;
  /** By which it names itself. */
  readonly uri: string;
  /** All by which it is reached. */
  readonly own: Own;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  /** How long it may do nothing with a request, ms. */
  readonly timeoutMs: number;
}

/** "late": nothing was done in time; "skipped": it was not asked, as it had been late again and again; "slow": it has held up the process. */
export type HostedOutcome = "asked" | "failed" | "late" | "skipped" | "slow";

export interface HostedServerModules {
  readonly clock: Clock;
  readonly counters: { server(name: string, outcome: HostedOutcome): void };
  /** Told of what a server has thrown; `request` is the one that it was about. */
  readonly onFailure: (server: string, error: unknown, request: SipMessage | undefined) => void;
  /** Told of a server that is late, or has held up the process, `ms` long. */
  readonly onSlow: (server: string, how: "late" | "slow", ms: number) => void;
}

/** So often late in a row, and it is asked by one request a pause only, until it does something. */
const LATE_IN_A_ROW = 5;
const PAUSE_MS = 2_000;
/** What one call of a method may take of the process; beyond that it is told of. */
const SLOW_MS = 50;

/**
 * An application server in this process, as an entity on the ProxyCore. What it throws, or leaves undone, is the default handling of the filter
 * criterion that led to it (TS 24.229 §5.4.3.2, §5.4.3.3): 500, 408, 504 or 503 to the S-CSCF. Inside a dialog the request goes on without it.
 */
export class HostedServer implements TransactionUser, Hosting {
  readonly functionalEntity = "AS";
  readonly name: string;
  readonly own: Own;
  readonly uri: string;
  readonly side: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly #server: ApplicationServer;
  readonly #modules: HostedServerModules;
  #late = 0;
  #pausesUntil = 0;

  constructor(server: ApplicationServer, options: HostedServerOptions, modules: HostedServerModules) {
    this.#server = server;
    this.#modules = modules;
    this.name = options.name;
    this.own = options.own;
    this.uri = options.uri;
    this.side = options.side;
    this.timeoutMs = options.timeoutMs;
    this.clock = modules.clock;
  }

  accepts(uri: Uri): boolean {
    return this.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { request } = context;
    if (request.method === "REGISTER") return this.#registered(context);
    const server = this.#server;
    const hosted = new HostedRequest(context, this);
    if (request.toTag !== "" && server.onInDialogRequest === undefined) return void hosted.forward();
    if (this.#isPassedOver()) {
      this.#count("skipped");
      return hosted.skip();
    }
    this.#count("asked");
    this.#run(hosted, () =>
      request.toTag === "" ? server.onInitialRequest(hosted) : server.onInDialogRequest?.(hosted),
    );
  }

  onAck(context: AckContext): void {
    const { request } = context;
    const destination = { kind: "uri", side: this.side } as const;
    let forwarded = this.#copyOf(context);
    try {
      this.#server.onAck?.({ request, forwarded, routes: ownRoutes(request, this) });
    } catch (error) {
      this.failed(error, request);
      forwarded = this.#copyOf(context);
    }
    context.send(forwarded, destination);
  }

  /** A third-party REGISTER that comes inside the process. Rejects when the server does, or is late. */
  async noteRegistration(register: SipMessage): Promise<void> {
    const { onRegistration } = this.#server;
    if (onRegistration === undefined) return;
    try {
      await this.#inTime(async () => onRegistration.call(this.#server, registrationOf(register)));
    } catch (error) {
      this.failed(error, register);
      throw error;
    }
  }

  /** Resolves when the server has stopped, or its time is over. */
  async stop(): Promise<void> {
    const { stop } = this.#server;
    if (stop === undefined) return;
    try {
      await this.#inTime(async () => stop.call(this.#server));
    } catch (error) {
      this.failed(error, undefined);
    }
  }

  /** It has been late again and again, and has done nothing since. */
  get isHung(): boolean {
    return this.#late >= LATE_IN_A_ROW;
  }

  acted(): void {
    this.#late = 0;
  }

  late(): void {
    this.#late++;
    this.#pausesUntil = this.clock.monotonic() + PAUSE_MS;
    this.#count("late");
    this.#modules.onSlow(this.name, "late", this.timeoutMs);
  }

  failed(error: unknown, request: SipMessage | undefined): void {
    this.#count("failed");
    this.#modules.onFailure(this.name, error, request);
  }

  #run(hosted: HostedRequest, run: () => void | Promise<void>): void {
    const { clock } = this;
    const begun = clock.monotonic();
    let running: unknown;
    try {
      running = run();
    } catch (error) {
      hosted.failed(error);
    }
    const took = clock.monotonic() - begun;
    if (took > SLOW_MS) {
      this.#count("slow");
      this.#modules.onSlow(this.name, "slow", took);
    }
    if (running instanceof Promise) running.then(undefined, (error: unknown) => hosted.failed(error));
    hosted.awaits();
  }

  #registered(context: RequestContext): void {
    this.noteRegistration(context.request).then(
      () => context.respond(200),
      () => context.respond(500),
    );
  }

  #copyOf(context: AckContext): SipMessage {
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this);
    return forwarded;
  }

  /** This request is not to be one that asks it. */
  #isPassedOver(): boolean {
    if (!this.isHung) return false;
    const now = this.clock.monotonic();
    if (now < this.#pausesUntil) return true;
    // This one finds out.
    this.#pausesUntil = now + PAUSE_MS;
    return false;
  }

  async #inTime(work: () => Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = this.clock.setTimer(this.timeoutMs, () =>
        reject(new Error(`nothing within ${this.timeoutMs} ms`)),
      );
      work()
        .finally(() => timer.cancel())
        .then(resolve, reject);
    });
  }

  #count(outcome: HostedOutcome): void {
    this.#modules.counters.server(this.name, outcome);
  }
}

function registrationOf(request: SipMessage): ThirdPartyRegistration {
  const to = parseNameAddr(request.header("To") ?? "");
  return {
    request,
    impu: to === undefined ? undefined : canonicalImpu(to.uriText),
    expires: decimal(request.header("Expires") ?? "") ?? 0,
  };
}

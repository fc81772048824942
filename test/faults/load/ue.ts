import { setTimeout as delay } from "node:timers/promises";
import { responseTo, SipMessage } from "@ims/sip";
import { ClientTransactions, type TransactionHandlers } from "./client-transactions.ts";
import { DigestAnswers } from "./digest.ts";
import { openTcp, openUdp, type Wire } from "./wire.ts";
import type { Edge, World } from "./world.ts";

/** Nothing at all from an edge node by then: the UE tries another one, ms. */
export const SILENCE_MS = 1_500;
/** RFC 3261 timer B and F are 32 s; a user has hung up long before. */
const DEADLINE_MS = 15_000;

/** After being turned away once a UE stays with the next edge node at least so long, ms. */
const STAY_MS = 2_000;

export interface UeOptions {
  readonly device: string;
  readonly user: string;
  readonly password: string;
  readonly transport: "udp" | "tcp";
  readonly address: string;
  /** Which of the edge nodes it uses first. */
  readonly home: number;
  /** In place of SILENCE_MS. */
  readonly silenceMs?: number;
}

/** Takes requests that come in; gives the response to keep for copies of the request, or nothing. */
export type RequestHandler = (request: SipMessage, reply: (text: string) => void) => void;

/** A UE with one flow at a time: RFC 5626 §4, RFC 3261 §17 and §18. It knows all edge nodes and moves when one is gone. */
export class Ue {
  readonly world: World;
  readonly options: UeOptions;
  readonly aor: string;
  readonly impi: string;
  readonly digest: DigestAnswers;
  readonly #transactions = new ClientTransactions();
  readonly #answered = new Map<string, string>();
  #wire: Wire | undefined;
  #edge: number;
  #branches = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  busy = 0;
  /** Of REGISTERs: RFC 3261 §10.2. */
  registerCallId: string;
  registerCseq = 0;
  serviceRoute: readonly string[] = [];
  /** It wants to be registered. */
  wanted = false;
  /** The edge node its registration is known to. */
  registeredAt: Edge | undefined;
  onRequest: RequestHandler = () => undefined;
  onLost: () => void = () => undefined;

  constructor(world: World, options: UeOptions) {
    this.world = world;
    this.options = options;
    this.aor = `sip:${options.user}@${world.domain}`;
    this.impi = `${options.user}@${world.domain}`;
    this.#edge = options.home % world.edges.length;
    this.digest = new DigestAnswers({ username: this.impi, password: options.password }, world.domain);
    this.registerCallId = this.newId("reg");
  }

  get edge(): Edge {
    const edge = this.world.edges[this.#edge];
    if (edge === undefined) throw new RangeError("no such edge node");
    return edge;
  }

  /** Registered over the flow it has now. */
  get settled(): boolean {
    return this.#wire !== undefined && this.#wire === this.#registeredOver;
  }

  /** A 200 to a REGISTER over the current flow. */
  registered(): void {
    this.registeredAt = this.edge;
    this.#registeredOver = this.#wire;
  }

  #registeredOver: Wire | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  newId(what: string): string {
    return `${what}-${this.options.device}-${Math.floor(this.world.random.next() * 1e12).toString(36)}`;
  }

  /** One after the other: a UE has one REGISTER in progress at most (RFC 3261 §10.2). */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.busy++;
    const result = this.#turn.then(work).finally(() => {
      this.busy--;
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Makes sure there is a wire, at the next edge node if the current one is gone; false when time is up. */
  async connect(until: number): Promise<boolean> {
    while (this.#wire === undefined && !this.#closed) {
      try {
        await this.#open();
      } catch {
        if (this.world.now() > until) return false;
        this.#edge = (this.#edge + 1) % this.world.edges.length;
        await delay(20);
      }
    }
    return !this.#closed;
  }

  async #open(): Promise<void> {
    const edge = this.edge;
    const { transport, address } = this.options;
    let wire: Wire | undefined;
    const events = {
      message: (message: SipMessage, reply: (text: string) => void) => this.#receive(message, reply),
      lost: () => {
        if (wire !== undefined && this.#wire === wire) this.moveOn();
      },
    };
    const local = { host: address, port: 0 };
    const remote = { host: edge.host, port: edge.port };
    wire = await (transport === "tcp" ? openTcp : openUdp)({ ...local, port: this.#udpPort }, remote, events);
    if (this.#closed) return wire.close();
    if (transport === "udp") this.#udpPort = wire.local.port;
    this.#wire = wire;
  }

  #udpPort = 0;

  /** The edge node would not serve now: tries the next one, but a UE that runs back and forth helps nobody. */
  turnedAway(): boolean {
    const now = this.world.now();
    if (now < this.#stayUntil) return false;
    this.#stayUntil = now + STAY_MS;
    this.moveOn();
    return true;
  }

  #stayUntil = 0;

  /** Leaves for the edge node it began with; false when it is there. */
  goHome(): boolean {
    const home = this.options.home % this.world.edges.length;
    if (this.#edge === home) return false;
    this.#wire?.close();
    this.#wire = undefined;
    this.#edge = home;
    return true;
  }

  /** The current edge node is of no use any more. */
  moveOn(): void {
    this.#wire?.close();
    this.#wire = undefined;
    this.#edge = (this.#edge + 1) % this.world.edges.length;
    this.#transactions.lost();
    if (!this.#closed) this.onLost();
  }

  get contact(): string {
    const { device, transport, address } = this.options;
    const port = this.#wire?.local.port ?? 0;
    return `<sip:${device}@${address}:${port}${transport === "tcp" ? ";transport=tcp" : ""}>`;
  }

  request(
    method: string,
    uri: string,
    fields: { from: string; to: string; callId: string; cseq: number },
  ): SipMessage {
    const { transport, address } = this.options;
    const sentBy = `${address}:${this.#wire?.local.port ?? 0}`;
    this.#branches++;
    const branch = `z9hG4bK${this.newId("b")}.${this.#branches}`;
    return SipMessage.request(method, uri)
      .append("Via", `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch};rport`)
      .append("Max-Forwards", "70")
      .append("From", fields.from)
      .append("To", fields.to)
      .append("Call-ID", fields.callId)
      .append("CSeq", `${fields.cseq} ${method}`);
  }

  /** Starts a client transaction over the current wire. */
  start(
    request: SipMessage,
    handlers: TransactionHandlers,
    patience = this.options.silenceMs ?? SILENCE_MS,
  ): void {
    if (!request.has("Content-Length")) request.append("Content-Length", "0");
    const wire = this.#wire;
    if (wire === undefined) {
      queueMicrotask(() => handlers.failed("lost"));
      return;
    }
    this.#transactions.start(
      request,
      {
        reliable: wire.protocol === "tcp",
        send: (text) => wire.send(text),
        patience,
        deadline: Math.max(DEADLINE_MS, patience),
      },
      handlers,
    );
  }

  /** The final response, or why there is none. */
  ask(
    request: SipMessage,
    patience?: number,
  ): Promise<
    { kind: "final"; response: SipMessage } | { kind: "failed"; why: "lost" | "silent" | "timeout" }
  > {
    return new Promise((resolve) =>
      this.start(
        request,
        {
          final: (response) => resolve({ kind: "final", response }),
          failed: (why) => resolve({ kind: "failed", why }),
        },
        patience,
      ),
    );
  }

  /** Without a transaction: an ACK to a 2xx, a copy of one's own answer. */
  sendText(text: string): void {
    this.#wire?.send(text);
  }

  /** Answers a request other than INVITE; copies of it get the same answer (RFC 3261 §17.2.2). */
  answer(request: SipMessage, status: number, reply: (text: string) => void): void {
    const text = responseTo(request, status, { toTag: this.options.device }).toString();
    const key = serverKey(request);
    this.#answered.set(key, text);
    setTimeout(() => this.#answered.delete(key), 32_000).unref();
    reply(text);
  }

  #receive(message: SipMessage, reply: (text: string) => void): void {
    if (this.#closed) return;
    if (!message.isRequest) {
      if (!this.#transactions.receive(message)) this.onStray(message);
      return;
    }
    const before = this.#answered.get(serverKey(message));
    if (before !== undefined) reply(before);
    else this.onRequest(message, reply);
  }

  /** A response no transaction waits for: a copy of a 2xx to an INVITE. */
  onStray: (response: SipMessage) => void = () => undefined;

  close(): void {
    this.#closed = true;
    this.#transactions.close();
    this.#wire?.close();
    this.#wire = undefined;
  }
}

function serverKey(request: SipMessage): string {
  const via = request.topVia;
  return `${via?.branch}|${via?.host}:${via?.port ?? ""}|${request.method}`;
}

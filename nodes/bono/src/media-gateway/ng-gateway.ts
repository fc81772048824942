import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock, Timer } from "@ims/runtime";
import { hostForUri } from "@ims/sip";
import { type Bencodable, type Bencoded, bdecode, bencode } from "./bencode.ts";

/** Commands of the ng protocol that we send. */
export type NgCommand = "offer" | "answer" | "delete" | "ping";

/** What became of a command. */
export type NgOutcome =
  | { readonly kind: "answered"; readonly answer: ReadonlyMap<string, Bencoded> }
  /** The gateway says no, or says what cannot be understood. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Nothing came in time, or the gateway's machine says that nobody listens. */
  | { readonly kind: "silent" };

/** Told to whoever counts. */
export type NgCounter = (command: NgCommand, outcome: NgOutcome["kind"]) => void;

export interface NgGatewayParts {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** How long an answer is waited for, retransmissions included, ms. */
  readonly timeoutMs: number;
  readonly count: NgCounter;
}

/** After these times, ms, a command is sent again with the same cookie; rtpengine repeats its answer then. */
const RESEND_MS = [150, 300, 600, 1_200, 2_400];
/** How often the gateway is asked whether it is there, while it is and while it is not. */
const PING_MS = 5_000;
const PING_DOWN_MS = 1_000;
/** What an IPv4 datagram holds. */
const MAX_DATAGRAM = 65_507;
/** Sessions of a gateway that is down which it is to end when it is back. */
const MAX_LEFT_BEHIND = 10_000;
/** Commands on the way at a time; more than one gateway answers within its time. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly datagram: Buffer;
  readonly done: (outcome: NgOutcome) => void;
  readonly deadline: number;
  timer: Timer | undefined;
  sent: number;
}

/**
 * One rtpengine over the ng control protocol: datagrams of a cookie and a bencoded dictionary, answered with the same cookie. Every
 * command ends within its time. A connected socket: datagrams of others are not taken, and a port that nobody listens to is told at once.
 */
export class NgGateway {
  /** Eight hex digits that stand for its address, the same on every bono. */
  readonly name: string;
  /** For people. */
  readonly address: string;
  readonly #parts: NgGatewayParts;
  readonly #waiting = new Map<string, Waiting>();
  /** Never those of an earlier run: rtpengine remembers what it has answered. */
  readonly #cookies = randomBytes(6).toString("hex");
  #count = 0;
  #socket: Socket | undefined;
  #connected = false;
  #up = true;
  #ping: Timer | undefined;
  #stopped = true;
  readonly #leftBehind = new Set<string>();

  constructor(parts: NgGatewayParts) {
    this.#parts = parts;
    this.address = `${hostForUri(parts.host)}:${parts.port}`;
    this.name = createHash("sha256").update(this.address).digest("hex").slice(0, 8);
  }

  /** Has it answered what it was asked last? True until it was asked. */
  get up(): boolean {
    return this.#up;
  }

  start(): void {
    this.#stopped = false;
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#ping?.cancel();
    this.#close();
    this.#failAll();
  }

  /** Never rejects. A gateway that is down is asked all the same: who does not want to wait looks at `up`. */
  async request(
    command: NgCommand,
    fields: { readonly [key: string]: Bencodable | undefined } = {},
  ): Promise<NgOutcome> {
    const outcome = await this.#exchange(command, fields);
    this.#parts.count(command, outcome.kind);
    const { kind } = outcome;
    if (kind === "silent" && this.#up && !this.#stopped) this.#wentDown();
    // It may have said no, but it is there.
    else if (kind !== "silent") this.#up = true;
    return outcome;
  }

  /** Ends a session. A gateway that hangs may have what it was told before in its socket: it is told again when it is back. */
  async release(key: string): Promise<void> {
    if (this.#stopped) return;
    const fields = { "call-id": key, "delete-delay": 0 };
    if (this.#up && (await this.request("delete", fields)).kind !== "silent") return;
    if (this.#leftBehind.size < MAX_LEFT_BEHIND) this.#leftBehind.add(key);
  }

  #exchange(
    command: NgCommand,
    fields: { readonly [key: string]: Bencodable | undefined },
  ): Promise<NgOutcome> {
    return new Promise((done) => {
      if (this.#stopped) return done({ kind: "silent" });
      if (this.#waiting.size >= MAX_WAITING) return done({ kind: "refused", reason: "too many commands" });
      const cookie = `${this.#cookies}${(++this.#count).toString(36)}`;
      const datagram = Buffer.from(`${cookie} ${bencode({ command, ...fields })}`, "latin1");
      if (datagram.length > MAX_DATAGRAM) return done({ kind: "refused", reason: "too long for a datagram" });
      const { clock, timeoutMs } = this.#parts;
      const deadline = clock.monotonic() + timeoutMs;
      const waiting: Waiting = { datagram, done, deadline, timer: undefined, sent: 0 };
      this.#waiting.set(cookie, waiting);
      this.#open();
      this.#send(cookie, waiting);
    });
  }

  /** Sends it, and again after a while; when its time is over it has failed. */
  #send(cookie: string, waiting: Waiting): void {
    const { clock } = this.#parts;
    const left = waiting.deadline - clock.monotonic();
    if (left <= 0) return this.#end(cookie, { kind: "silent" });
    if (this.#connected) this.#socket?.send(waiting.datagram);
    const pause = RESEND_MS[waiting.sent++] ?? left;
    waiting.timer = clock.setTimer(Math.min(pause, left), () => this.#send(cookie, waiting));
  }

  #end(cookie: string, outcome: NgOutcome): void {
    const waiting = this.#waiting.get(cookie);
    if (waiting === undefined) return;
    this.#waiting.delete(cookie);
    waiting.timer?.cancel();
    waiting.done(outcome);
  }

  #received(text: string): void {
    const space = text.indexOf(" ");
    if (space < 0 || !this.#waiting.has(text.slice(0, space))) return;
    this.#end(text.slice(0, space), outcomeOf(text.slice(space + 1)));
  }

  #open(): void {
    if (this.#socket !== undefined) return;
    const { host, port } = this.#parts;
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    this.#socket = socket;
    socket.on("message", (octets) => this.#received(octets.toString("latin1")));
    // Nobody listens there, or the name has no address.
    const failed = (): void => {
      if (this.#socket !== socket) return;
      this.#close();
      this.#failAll();
    };
    socket.on("error", failed);
    socket.connect(port, host, (error?: Error) => {
      if (this.#socket !== socket) return;
      if (error !== undefined && error !== null) return failed();
      this.#connected = true;
      for (const { datagram } of this.#waiting.values()) socket.send(datagram);
    });
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#connected = false;
    socket?.close();
  }

  #failAll(): void {
    for (const cookie of [...this.#waiting.keys()]) this.#end(cookie, { kind: "silent" });
  }

  #wentDown(): void {
    this.#up = false;
    this.#ping?.cancel();
    this.#ping = this.#parts.clock.setTimer(PING_DOWN_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    // Its name may have another address by now.
    if (!this.#up && this.#waiting.size === 0) this.#close();
    await this.request("ping");
    await this.#tidy();
    if (this.#stopped) return;
    this.#ping?.cancel();
    this.#ping = this.#parts.clock.setTimer(this.#up ? PING_MS : PING_DOWN_MS, () => void this.#look());
  }

  /** One after the other: new calls come first. */
  async #tidy(): Promise<void> {
    for (const key of this.#leftBehind) {
      if (!this.#up || this.#stopped) return;
      this.#leftBehind.delete(key);
      await this.release(key);
    }
  }
}

function outcomeOf(text: string): NgOutcome {
  const answer = bdecode(text);
  if (!(answer instanceof Map)) return { kind: "refused", reason: "an answer that is no dictionary" };
  const result = answer.get("result");
  if (result === "ok" || result === "pong") return { kind: "answered", answer };
  const reason = answer.get("error-reason") ?? result;
  return { kind: "refused", reason: typeof reason === "string" ? reason.slice(0, 200) : "no result" };
}

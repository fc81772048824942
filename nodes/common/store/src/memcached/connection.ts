import net from "node:net";
import { type Clock, type Flushable, flushAtTurnEnd, type LoopPacer, type Timer } from "@ims/runtime";
import { connectionProblem, dialStore, type StoreTls } from "../tls.ts";
import { type Reply, ReplyParser } from "./meta-protocol.ts";
import { RequestQueue } from "./request-queue.ts";

/** The connection was given up before the reply came. Once a request was sent nobody knows whether it took effect. */
export interface Lost {
  readonly code: "lost";
  readonly sent: boolean;
  readonly problem: string;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** A reply later than this ends the connection, ms. */
  readonly deadlineMs: number;
  /** Requests waiting for a reply beyond which no more are taken. */
  readonly maxPending: number;
  readonly pacer?: LoopPacer;
  /** The server speaks TLS; undefined: in the clear. */
  readonly tls?: StoreTls | undefined;
}

/** Why a connection ended. */
export type Ending = "closed" | "timeout" | "broken";

interface Pending {
  readonly opaque: number;
  readonly deadline: number;
  readonly resolve: (outcome: Reply | Lost) => void;
}

/** Largest item of memcached unless it is told otherwise. */
const MAX_ITEM_BYTES = 1_048_576;
const READ_BYTES = 65_536;
/** Bytes that a server has not taken beyond which it gets no more. */
const MAX_BACKLOG_BYTES = 8_388_608;

/** One TCP connection: requests pipelined, replies in their order, one write per turn of the event loop. */
export class Connection implements Flushable {
  readonly #options: ConnectionOptions;
  readonly #socket: net.Socket;
  readonly #parser: ReplyParser;
  readonly #pending = new RequestQueue<Pending>();
  readonly #ended: (ending: Ending, problem: string) => void;
  #output: (string | Uint8Array)[] = [];
  #outputBytes = 0;
  #opaque = 0;
  #deadline: Timer | undefined;
  #connected = false;
  #done = false;
  #problem = "closed by the server";

  /** `ended` is called once, after all requests were told. */
  constructor(options: ConnectionOptions, ended: (ending: Ending, problem: string) => void) {
    this.#options = options;
    this.#ended = ended;
    this.#parser = new ReplyParser(MAX_ITEM_BYTES, {
      reply: (reply) => this.#reply(reply),
      broken: (reason) => this.#end("broken", `not the meta protocol: ${reason}`),
    });
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const { host, port, tls } = options;
    const onread = {
      buffer,
      callback: (length: number): boolean => {
        if (!this.#done) this.#parser.push(buffer.subarray(0, length));
        return true;
      },
    };
    this.#socket =
      tls === undefined
        ? net.connect({ host, port, noDelay: true, keepAlive: true, onread })
        : dialStore({ host, port, onread }, tls);
    this.#socket.on(tls === undefined ? "connect" : "secureConnect", () => {
      this.#connected = true;
      this.flush();
    });
    this.#socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#problem = connectionProblem(error, tls !== undefined);
    });
    this.#socket.on("end", () => this.#end("closed", this.#problem));
    this.#socket.on("close", () => this.#end("closed", this.#problem));
  }

  /** A number for flag O of the next request. */
  nextOpaque(): number {
    this.#opaque = this.#opaque === 9_999_999 ? 1 : this.#opaque + 1;
    return this.#opaque;
  }

  /** Sends a command line and, behind it, `data` with a line end. Resolves always. `data` must not change until then. */
  request(opaque: number, command: string, data?: Uint8Array): Promise<Reply | Lost> {
    if (this.#done) return Promise.resolve({ code: "lost", sent: false, problem: this.#problem });
    const backlog = this.#outputBytes + this.#socket.writableLength;
    if (this.#pending.length >= this.#options.maxPending || backlog > MAX_BACKLOG_BYTES)
      return Promise.resolve({ code: "lost", sent: false, problem: "too many requests wait" });
    if (this.#outputBytes === 0 && this.#connected) flushAtTurnEnd(this);
    this.#output.push(command);
    this.#outputBytes += command.length;
    if (data !== undefined) {
      this.#output.push(data, "\r\n");
      this.#outputBytes += data.length + 2;
    }
    const deadline = this.#options.clock.monotonic() + this.#options.deadlineMs;
    return new Promise((resolve) => {
      this.#pending.push({ opaque, deadline, resolve });
      if (this.#deadline === undefined) this.#watch(this.#options.deadlineMs);
    });
  }

  flush(): void {
    if (this.#done || this.#outputBytes === 0 || !this.#connected) return;
    const bytes = Buffer.allocUnsafe(this.#outputBytes);
    let at = 0;
    for (const part of this.#output) {
      if (typeof part === "string") at += bytes.write(part, at, "latin1");
      else {
        bytes.set(part, at);
        at += part.length;
      }
    }
    this.#output = [];
    this.#outputBytes = 0;
    this.#socket.write(bytes);
  }

  close(problem = "closed"): void {
    this.#end("closed", problem);
  }

  #reply(reply: Reply): void {
    this.#options.pacer?.received();
    const pending = this.#pending.peek();
    if (pending === undefined) return this.#end("broken", "a reply without a request");
    if (reply.opaque !== pending.opaque && reply.code !== "SE" && reply.code !== "MN")
      return this.#end("broken", "a reply to another request");
    this.#pending.shift();
    pending.resolve(reply);
  }

  /** One timer for all: replies come in order, so the oldest request is overdue first. */
  #watch(ms: number): void {
    this.#deadline = this.#options.clock.setTimer(ms, () => {
      // What came while this process was busy elsewhere is read first.
      setImmediate(() => setImmediate(() => this.#judge()));
    });
  }

  #judge(): void {
    this.#deadline = undefined;
    const oldest = this.#pending.peek();
    if (this.#done || oldest === undefined) return;
    const left = oldest.deadline - this.#options.clock.monotonic();
    if (left > 0) this.#watch(left);
    else this.#end("timeout", `no reply within ${this.#options.deadlineMs} ms`);
  }

  #end(ending: Ending, problem: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#problem = problem;
    this.#deadline?.cancel();
    this.#parser.end();
    // Even unsent output may have left: only a connection that never was has certainly sent nothing.
    const sent = this.#connected && this.#socket.bytesWritten > 0;
    this.#socket.destroy();
    this.#output = [];
    for (let one = this.#pending.shift(); one !== undefined; one = this.#pending.shift())
      one.resolve({ code: "lost", sent, problem });
    this.#ended(ending, problem);
  }
}

import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "@ims/runtime";
import type { ListeningPoint, TransportHandler } from "../transport/transport.ts";
import { QueueWait } from "./queue-wait.ts";

/** Where several processes share a port, the kernel chooses by the sender whose queue a probe stands in: how long one is waited for, ms. */
const SEARCH_MS = 250;

/** A probe that did not arrive after this long was dropped by a full queue, ms. */
const LOST_MS = 2_000;

/**
 * How long a message waits between the network and its handling. A process cannot see the queue that the kernel keeps for
 * its socket, so it stands in it: a datagram of its own goes the way of all others, at most one at a time.
 */
export class QueueProbe {
  readonly #clock: Clock;
  /** First character: none of SIP's methods begins with it. */
  readonly #mark = `~${randomBytes(12).toString("hex")} `;
  #socket: Socket | undefined;
  #to: { readonly port: number; readonly address: string } | undefined;
  #sentAt: number | undefined;
  #serial = 0;
  #wait = new QueueWait();
  #shared = false;
  /** Of a shared port: no sender has been found yet whose probes come to us. */
  #searching = false;
  #six = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes probes out of what arrives; everything else goes on. */
  watch(handler: TransportHandler): TransportHandler {
    return {
      onMessage: (text, flow, message) => {
        if (text.charCodeAt(0) === 0x7e && this.#takes(text)) return;
        handler.onMessage(text, flow, message);
      },
      onGarbage: (flow, reason, text) => handler.onGarbage?.(flow, reason, text),
      onKeepAlive: (flow) => handler.onKeepAlive?.(flow),
      onStale: (side) => handler.onStale?.(side),
    };
  }

  /** Begins to stand in the queue of a UDP listener; `shared`: of one of those that several processes have on its port. */
  open({ host, port }: ListeningPoint, shared = false): void {
    this.#six = host.includes(":");
    const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    this.#to = { port, address };
    this.#shared = shared;
    this.#searching = shared;
    this.#begin();
  }

  #begin(): void {
    const six = this.#six;
    const address = this.#to?.address;
    this.#socket?.close();
    this.#sentAt = undefined;
    this.#wait = new QueueWait();
    const socket = createSocket({
      type: six ? "udp6" : "udp4",
      lookup: (name, _options, callback) => callback(null, name, six ? 6 : 4),
    });
    // What goes wrong shows as a delay, and more is not to be done about it.
    socket.on("error", () => this.close());
    socket.bind({ port: 0, address }, () => socket.unref());
    this.#socket = socket;
  }

  /** Longest wait since it was asked last, ms; sends the next probe. */
  readonly delay = (): number => {
    if (this.#socket === undefined || this.#to === undefined) return 0;
    const now = this.#clock.monotonic();
    const waiting = this.#sentAt === undefined ? 0 : now - this.#sentAt;
    if (waiting > (this.#searching ? SEARCH_MS : LOST_MS) && this.#shared) {
      // Others that share the port may have come or gone.
      this.#searching = true;
      this.#begin();
      return 0;
    }
    const longest = this.#wait.look(waiting, now);
    if (this.#sentAt === undefined || waiting > LOST_MS) {
      this.#serial++;
      this.#sentAt = now;
      this.#socket.send(`${this.#mark}${this.#serial}`, this.#to.port, this.#to.address);
    }
    return this.#searching ? 0 : longest;
  };

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#sentAt = undefined;
    socket?.close();
  }

  #takes(text: string): boolean {
    if (!text.startsWith(this.#mark)) return false;
    if (this.#sentAt !== undefined && Number(text.slice(this.#mark.length)) === this.#serial) {
      const now = this.#clock.monotonic();
      this.#wait.arrived(now - this.#sentAt, now);
      this.#sentAt = undefined;
      this.#searching = false;
    }
    return true;
  }
}

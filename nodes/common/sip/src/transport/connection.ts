import type { Socket } from "node:net";
import { type Clock, type Flushable, flushAtTurnEnd, type Timer } from "@ims/runtime";
import { BaseFlow, type FlowEnds } from "./flow.ts";
import type { TransportLimits } from "./limits.ts";
import { isRequest, type Standstill } from "./standstill.ts";
import { type FramerSink, StreamFramer } from "./stream-framer.ts";
import type { GarbageReason, TransportHandler } from "./transport.ts";

export interface ConnectionModules {
  readonly handler: TransportHandler;
  readonly clock: Clock;
  readonly limits: TransportLimits;
  readonly standstill: Standstill;
  /** Called once, as soon as the connection is no longer usable. */
  readonly onGone: (connection: Connection) => void;
}

/**
 * One connection of a reliable transport: idle, partial-message and closing deadlines. How bytes get in and out is the
 * matter of the subclasses.
 */
export abstract class Connection extends BaseFlow implements Flushable {
  protected readonly modules: ConnectionModules;
  /** Since when the beginning of a message waits for its end (monotonic ms). */
  #partialSince: number | undefined;
  #partialTimer: Timer | undefined;
  #idleTimer: Timer | undefined;
  #closeTimer: Timer | undefined;
  #idleMs: number;
  #lastTraffic: number;

  constructor(ends: FlowEnds, modules: ConnectionModules) {
    super(ends);
    this.modules = modules;
    this.#lastTraffic = modules.clock.monotonic();
    this.#idleMs = modules.limits.idleMs;
    this.#armIdle(this.#idleMs);
  }

  abstract flush(): void;
  /** Ends the connection after what is queued has left. */
  protected abstract endGently(): void;
  protected abstract destroyNow(): void;

  protected resetNow(): void {
    this.destroyNow();
  }
  /** What has arrived of an incomplete message. */
  protected abstract pendingText(): string;

  close(): void {
    if (!this.gone()) return;
    this.endGently();
    this.#closeTimer = this.modules.clock.setTimer(this.modules.limits.closeMs, () => this.destroyNow());
  }

  /** Nothing new will be sent over it: it goes when what was begun has had time to end. */
  retire(): void {
    if (!this.open) return;
    this.#idleTimer?.cancel();
    this.#idleMs = this.modules.limits.retiredIdleMs;
    this.#armIdle(this.#idleMs);
  }

  /** Cuts the connection, queue and all. What was written before may still arrive. */
  destroy(): void {
    this.gone();
    this.destroyNow();
  }

  /** The same, and the kernel forgets what it has not delivered. */
  reset(): void {
    this.gone();
    this.resetNow();
  }

  protected touch(): number {
    this.#lastTraffic = this.modules.clock.monotonic();
    return this.#lastTraffic;
  }

  /** No longer usable: tells the pool and the listeners. True the first time. */
  protected gone(): boolean {
    if (!this.markClosed()) return false;
    this.#partialTimer?.cancel();
    this.#idleTimer?.cancel();
    this.modules.onGone(this);
    return true;
  }

  /** The socket is gone for good. */
  protected ended(): void {
    this.gone();
    this.#closeTimer?.cancel();
  }

  /** May what is read now have waited while this process stood still? */
  protected isStale(now: number): boolean {
    return this.modules.standstill.isStale(now, this.modules.limits.staleMs);
  }

  /** The peer hears at once that nothing comes of what it has sent. */
  protected dropStale(): void {
    this.modules.handler.onStale?.(this.side);
    this.reset();
  }

  protected garbage(reason: GarbageReason, text: string): void {
    this.modules.handler.onGarbage?.(this, reason, text);
    this.close();
  }

  /** The timer is left running when a message completes: most partial messages are a matter of microseconds. */
  protected markPartial(partial: boolean): void {
    if (!partial) this.#partialSince = undefined;
    else if (this.#partialSince === undefined) {
      this.#partialSince = this.#lastTraffic;
      this.#partialTimer ??= this.#setPartialTimer(this.modules.limits.partialMs);
    }
  }

  #setPartialTimer(ms: number): Timer {
    return this.modules.clock.setTimer(ms, () => {
      this.#partialTimer = undefined;
      if (this.#partialSince === undefined || !this.open) return;
      const left = this.#partialSince + this.modules.limits.partialMs - this.modules.clock.monotonic();
      if (left > 0) this.#partialTimer = this.#setPartialTimer(left);
      else this.garbage("incomplete", this.pendingText());
    });
  }

  #armIdle(ms: number): void {
    this.#idleTimer = this.modules.clock.setTimer(ms, () => {
      const left = this.#lastTraffic + this.#idleMs - this.modules.clock.monotonic();
      if (left > 0) this.#armIdle(left);
      else this.close();
    });
  }
}

/** A SIP connection over TCP or TLS: RFC 3261 §18. */
export class StreamConnection extends Connection implements FramerSink {
  #socket: Socket | undefined;
  #connected = false;
  #stale = false;
  #out = "";
  #pings = 0;
  pongs = 0;
  lastReceived: number;
  /** On dialled connections only: whoever dials us asks us. */
  readonly ping: (() => boolean) | undefined;
  readonly #framer: StreamFramer;

  constructor(ends: FlowEnds, modules: ConnectionModules, dialled = false) {
    super(ends, modules);
    this.lastReceived = modules.clock.monotonic();
    this.ping = dialled ? () => this.#ping() : undefined;
    this.#framer = new StreamFramer(modules.limits.maxMessageBytes, this);
  }

  /** Takes the socket over. Its bytes are given to `receive` by whoever reads it. */
  attach(socket: Socket, connected: boolean): void {
    this.#socket = socket;
    this.#connected = connected;
    socket.setNoDelay(true);
    socket.on("error", () => this.destroy());
    socket.on("end", () => this.close());
    socket.on("close", () => this.ended());
  }

  /** The handshakes of a dialled connection are done. */
  connected(localAddress: string, localPort: number): void {
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.#connected = true;
    this.touch();
    this.flush();
  }

  get queuedBytes(): number {
    return this.#out.length + (this.#socket?.writableLength ?? 0);
  }

  receive(chunk: string): void {
    if (!this.open) return;
    const now = this.touch();
    this.lastReceived = now;
    this.#stale = this.isStale(now);
    // What answers us is welcome at any time.
    if (this.#stale && this.ping === undefined) return this.dropStale();
    const reason = this.#framer.push(chunk);
    if (reason !== undefined) this.garbage(reason, this.#framer.pending);
    else this.markPartial(this.#framer.partial);
  }

  send(text: string): boolean {
    if (!this.open) return false;
    if (this.#out === "") {
      this.#out = text;
      if (this.#connected) flushAtTurnEnd(this);
    } else this.#out += text;
    if (this.#out.length <= this.modules.limits.maxQueuedBytes) return true;
    this.reset();
    return false;
  }

  flush(): void {
    const socket = this.#socket;
    if (this.#out === "" || socket === undefined || socket.destroyed) return;
    const text = this.#out;
    this.#out = "";
    this.touch();
    socket.write(text, "latin1");
    if (socket.writableLength > this.modules.limits.maxQueuedBytes) this.reset();
  }

  onMessage(text: string): boolean {
    this.markPartial(false);
    if (this.#stale && isRequest(text)) this.modules.handler.onStale?.(this.side);
    else this.modules.handler.onMessage(text, this);
    return this.open;
  }

  onPing(): void {
    this.send("\r\n");
    this.modules.handler.onKeepAlive?.(this);
  }

  onLineEnd(): boolean {
    if (this.#pings === 0) return false;
    this.#pings -= 1;
    this.pongs += 1;
    return true;
  }

  #ping(): boolean {
    if (!this.send("\r\n\r\n")) return false;
    this.#pings += 1;
    return true;
  }

  protected pendingText(): string {
    return this.#framer.pending.slice(0, this.modules.limits.maxMessageBytes);
  }

  protected endGently(): void {
    if (!this.#connected) this.destroyNow();
    else {
      this.flush();
      this.#socket?.end();
    }
  }

  protected destroyNow(): void {
    this.#out = "";
    this.#socket?.destroy();
  }

  protected override resetNow(): void {
    this.#out = "";
    // A handshake that is not over has delivered nothing; under TLS Node has no way to reset.
    if (this.#connected && this.protocol === "TCP") this.#socket?.resetAndDestroy();
    else this.#socket?.destroy();
  }
}

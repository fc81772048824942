import type { SipMessage } from "../message/message.ts";
import { Connection, type ConnectionModules } from "./connection.ts";
import type { FlowEnds } from "./flow.ts";
import { RecentTexts } from "./handed-texts.ts";

/** Where the two ends of local connections wait for their turn. */
export interface LocalTurns {
  mark(connection: LocalConnection): void;
}

interface Handed {
  readonly text: string;
  /** Of the receiver. */
  readonly message: SipMessage | undefined;
}

/**
 * One end of a connection between two nodes of one process: what RFC 3261 §18 asks of a reliable transport without a socket
 * under it. Messages arrive as they were written and as they were read, whole, in order and in the turn of the loop in which they were sent, but never within the call that sends them.
 */
export class LocalConnection extends Connection {
  readonly #turns: LocalTurns;
  #far: LocalConnection | undefined;
  #out: Handed[] = [];
  #spare: Handed[] = [];
  #endsAfterThat = false;
  #pings = 0;
  pongs = 0;
  lastReceived: number;
  /** Of both ends. */
  handed = new RecentTexts();
  /** On dialled connections only: whoever dials us asks us. */
  readonly ping: (() => boolean) | undefined;

  constructor(ends: FlowEnds, modules: ConnectionModules, turns: LocalTurns, dialled: boolean) {
    super(ends, modules);
    this.#turns = turns;
    this.lastReceived = modules.clock.monotonic();
    this.ping = dialled ? () => this.#ping() : undefined;
  }

  /** Makes two ends one connection. */
  join(far: LocalConnection): void {
    this.#far = far;
    far.#far = this;
    far.handed = this.handed;
  }

  readonly queuedBytes = 0;
  readonly waitedMs = 0;

  send(text: string, message?: SipMessage): boolean {
    if (!this.open) return false;
    // A copy now: who sends it may change it before it is taken.
    if (this.#out.push({ text, message: message?.clone() }) === 1) this.#turns.mark(this);
    return true;
  }

  /** Gives the far end what was sent meanwhile. */
  flush(): void {
    const far = this.#far;
    const messages = this.#out;
    const pings = this.#pings;
    this.#out = this.#spare;
    this.#spare = messages;
    this.#pings = 0;
    if (far !== undefined && (messages.length > 0 || pings > 0)) {
      this.touch();
      far.#receive(messages, pings);
      if (pings > 0 && this.open) this.#hearPongs(pings);
    }
    messages.length = 0;
    if (this.#endsAfterThat) this.destroyNow();
  }

  #receive(messages: readonly Handed[], pings: number): void {
    if (!this.open) return;
    this.lastReceived = this.touch();
    const { handler, limits } = this.modules;
    for (let i = 0; i < pings; i++) handler.onKeepAlive?.(this);
    for (const { text, message } of messages) {
      if (!this.open) return;
      if (text.length <= limits.maxMessageBytes) handler.onMessage(text, this, message);
      else this.garbage("tooLarge", text.slice(0, limits.maxMessageBytes));
    }
  }

  #ping(): boolean {
    if (!this.open) return false;
    this.#pings += 1;
    this.#turns.mark(this);
    return true;
  }

  #hearPongs(count: number): void {
    this.pongs += count;
    this.lastReceived = this.touch();
  }

  protected pendingText(): string {
    return "";
  }

  protected endGently(): void {
    this.#endsAfterThat = true;
    this.#turns.mark(this);
  }

  protected destroyNow(): void {
    const far = this.#far;
    this.#out = [];
    this.#far = undefined;
    this.ended();
    far?.close();
  }
}

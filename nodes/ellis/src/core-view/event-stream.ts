import { Readable } from "node:stream";

/**
 * Server-Sent Events for one reader. What it does not read in time is not kept: of each event only the latest is, which is enough where
 * every event tells the whole.
 */
export class EventStream extends Readable {
  readonly #waiting = new Map<string, string>();
  #room = true;
  #finished = false;

  constructor() {
    super({ highWaterMark: 65_536 });
    // Who is cut off asks again after so many ms.
    this.#room = this.push("retry: 2000\n\n");
  }

  /** `data`: one line. */
  tell(event: string, data: string): void {
    if (this.destroyed || this.#finished) return;
    const text = `event: ${event}\ndata: ${data}\n\n`;
    if (this.#room) this.#room = this.push(text);
    else this.#waiting.set(event, text);
  }

  /** Keeps proxies from closing it. */
  beat(): void {
    if (this.#room && !this.destroyed && !this.#finished) this.#room = this.push(":\n\n");
  }

  /** The last event, and no more. */
  finish(event: string, data: string): void {
    if (this.destroyed || this.#finished) return;
    this.#finished = true;
    this.push(`event: ${event}\ndata: ${data}\n\n`);
    this.push(null);
  }

  override _read(): void {
    this.#room = true;
    for (const [event, text] of this.#waiting) {
      if (!this.#room) return;
      this.#waiting.delete(event);
      this.#room = this.push(text);
    }
  }
}

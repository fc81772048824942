import type { LogDestination } from "./logger.ts";

export interface RecentLinesOptions {
  /** Default 1,000. */
  readonly maxLines?: number;
  /** Characters in all; default 1,000,000. */
  readonly maxLength?: number;
}

/** A line longer than this is cut: one of them must not drive all others out. */
const MAX_LINE = 16_384;

/** The last lines of the log, kept for whoever gathers diagnostics. */
export class RecentLines {
  readonly #maxLines: number;
  readonly #maxLength: number;
  #lines: string[] = [];
  /** Lines before this one are gone. */
  #first = 0;
  #length = 0;

  constructor({ maxLines = 1_000, maxLength = 1_000_000 }: RecentLinesOptions = {}) {
    this.#maxLines = maxLines;
    this.#maxLength = maxLength;
  }

  /** Writes to `destination` and remembers. */
  before(destination: LogDestination): LogDestination {
    return {
      write: (line) => {
        this.#keep(line);
        destination.write(line);
      },
      flushSync: () => destination.flushSync?.(),
    };
  }

  /** The oldest first, without line ends. */
  lines(): readonly string[] {
    return this.#lines.slice(this.#first);
  }

  #keep(line: string): void {
    const text = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line.trimEnd();
    this.#lines.push(text);
    this.#length += text.length;
    while (this.#lines.length - this.#first > this.#maxLines || this.#length > this.#maxLength) {
      this.#length -= (this.#lines[this.#first] as string).length;
      this.#first++;
    }
    // Seldom, so that it costs next to nothing a line.
    if (this.#first < this.#maxLines) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }
}

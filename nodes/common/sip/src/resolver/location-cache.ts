import type { Clock } from "@ims/runtime";
import type { Target } from "../transport/transport.ts";

/** How long what was found last is used when nothing can be found any more (the DNS is down), ms. */
const STALE_MS = 300_000;
const MAX_NAMES = 10_000;

interface Entry {
  targets: readonly Target[];
  /** Monotonic ms. */
  freshUntil: number;
  staleUntil: number;
  asking: Promise<readonly Target[]> | undefined;
}

/** What names led to: used without waiting, asked for again behind the scenes. The same objects as long as nothing changes. */
export class LocationCache {
  readonly #clock: Clock;
  readonly #freshMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, freshMs: number) {
    this.#clock = clock;
    this.#freshMs = freshMs;
  }

  find(key: string, ask: () => Promise<readonly Target[]>): readonly Target[] | Promise<readonly Target[]> {
    if (this.#freshMs <= 0) return ask();
    const now = this.#clock.monotonic();
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#makeRoom();
      entry = { targets: [], freshUntil: 0, staleUntil: 0, asking: undefined };
      this.#entries.set(key, entry);
    }
    if (now < entry.freshUntil) return entry.targets;
    entry.asking ??= this.#ask(key, entry, ask);
    return now < entry.staleUntil ? entry.targets : entry.asking;
  }

  /** Names lead elsewhere now: everybody waits for the next answer. What is being asked may be of before: it is not kept. */
  clear(): void {
    this.#entries.clear();
  }

  async #ask(key: string, entry: Entry, ask: () => Promise<readonly Target[]>): Promise<readonly Target[]> {
    try {
      const found = await ask();
      const now = this.#clock.monotonic();
      if (found.length > 0) {
        if (!areSame(found, entry.targets)) entry.targets = found;
        entry.freshUntil = now + this.#freshMs;
        entry.staleUntil = entry.freshUntil + STALE_MS;
      } else if (now < entry.staleUntil) entry.freshUntil = now + this.#freshMs;
      else {
        entry.targets = found;
        this.#entries.delete(key);
      }
      return entry.targets;
    } finally {
      entry.asking = undefined;
    }
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_NAMES) return;
    for (const [key, { asking }] of this.#entries)
      if (asking === undefined) {
        this.#entries.delete(key);
        return;
      }
  }
}

function areSame(a: readonly Target[], b: readonly Target[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((one, index) => {
    const other = b[index];
    return (
      other !== undefined &&
      one.address === other.address &&
      one.port === other.port &&
      one.protocol === other.protocol &&
      one.serverName === other.serverName &&
      one.priority === other.priority
    );
  });
}

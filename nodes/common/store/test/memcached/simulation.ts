import type { Clock } from "@ims/runtime";
import type { ReadOutcome, Replica, Token, WriteOutcome } from "../../src/memcached/replica.ts";

/** Repeatable pseudo-random numbers in [0, 1) (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Time that passes only when everybody waits. */
export class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #waiting: Waiting[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const entry = { at: this.#now + ms, order: this.#order++, wake };
      // A binary heap would be overkill: some dozens wait.
      let at = this.#waiting.length;
      while (at > 0) {
        const before = this.#waiting[at - 1] as Waiting;
        if (before.at < entry.at || (before.at === entry.at && before.order < entry.order)) break;
        at--;
      }
      this.#waiting.splice(at, 0, entry);
    });
  }

  /** Runs until `done`. */
  async run(done: () => boolean): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (done()) return;
      const next = this.#waiting.shift();
      if (next === undefined) throw new Error("everybody waits for ever");
      this.#now = next.at;
      next.wake();
    }
  }

  clock(skewMs: number): Clock {
    return {
      now: () => 1_800_000_000_000 + this.#now + skewMs,
      monotonic: () => this.#now,
      setTimer: (ms, fn) => {
        let live = true;
        void this.sleep(ms).then(() => live && fn());
        return {
          cancel: () => {
            live = false;
          },
        };
      },
    };
  }
}

/** A server that keeps items, can hang, lose them, and be cut off from some clients. */
export class SimulatedServer {
  readonly items = new Map<string, { bytes: Buffer; cas: number }>();
  readonly cutFrom = new Set<number>();
  hung = false;
  running = true;
  /** Counts the processes so far. */
  epoch = 0;
  #cas = 0;

  crash(): void {
    this.running = false;
    this.hung = false;
    this.epoch++;
    this.items.clear();
    this.#cas = 0;
  }

  set(key: string, bytes: Uint8Array, cas: number | "absent"): number | undefined {
    const found = this.items.get(key);
    if (cas === "absent" ? found !== undefined : found?.cas !== cas) return undefined;
    this.items.set(key, { bytes: Buffer.from(bytes), cas: ++this.#cas });
    return this.#cas;
  }
}

const DEADLINE_MS = 250;
const SECONDS = 3_600;
const never = new Promise<never>(() => {});

/** A server as one client sees it: every command and reply takes its own time, and may overtake others. */
export class SimulatedReplica implements Replica {
  readonly id: string;
  readonly seed: number;
  readonly #server: SimulatedServer;
  readonly #client: number;
  readonly #time: VirtualTime;
  readonly #random: () => number;
  #connection: object = {};
  #up = true;

  constructor(
    place: { id: string; seed: number },
    server: SimulatedServer,
    client: number,
    time: VirtualTime,
    random: () => number,
  ) {
    this.id = place.id;
    this.seed = place.seed;
    this.#server = server;
    this.#client = client;
    this.#time = time;
    this.#random = random;
  }

  get up(): boolean {
    return this.#up;
  }

  async read(key: string): Promise<ReadOutcome> {
    const connection = this.#connection;
    const done = await this.#ask<ReadOutcome>(() => {
      const item = this.#server.items.get(key);
      if (item === undefined) return { kind: "missing", token: { connection, cas: "absent" } };
      return {
        kind: "item",
        bytes: Buffer.from(item.bytes),
        seconds: SECONDS,
        token: { connection, cas: item.cas },
      };
    });
    return typeof done === "boolean" ? { kind: "away", cause: new Error("away") } : done;
  }

  async write(key: string, bytes: Uint8Array, _seconds: number, token: Token): Promise<WriteOutcome> {
    const connection = this.#connection;
    if (!this.#up) return { kind: "away", sent: false, cause: new Error("away") };
    if (token.connection !== connection) return { kind: "stale" };
    const done = await this.#ask<WriteOutcome>(() => {
      const cas = this.#server.set(key, bytes, token.cas);
      return cas === undefined ? { kind: "refused" } : { kind: "accepted", token: { connection, cas } };
    });
    return typeof done === "boolean" ? { kind: "away", sent: done, cause: new Error("away") } : done;
  }

  /** True: perhaps carried out, perhaps later; false: not sent. */
  async #ask<T>(execute: () => T): Promise<T | boolean> {
    if (!this.#up) return false;
    const connection = this.#connection;
    const server = this.#server;
    const epoch = server.epoch;
    const answer = (async (): Promise<T | "lost"> => {
      await this.#travel();
      while (server.hung) await this.#time.sleep(5);
      if (!server.running || server.epoch !== epoch) return "lost";
      const result = execute();
      await this.#travel();
      if (server.epoch !== epoch || this.#connection !== connection) return "lost";
      return result;
    })();
    const late = this.#time.sleep(DEADLINE_MS).then((): "lost" => "lost");
    const outcome = await Promise.race([answer, late]);
    if (outcome !== "lost") return outcome;
    if (this.#connection === connection) this.#drop();
    return true;
  }

  async #travel(): Promise<void> {
    await this.#time.sleep(this.#random() < 0.03 ? 30 * this.#random() : 0.1 + this.#random());
    if (this.#server.cutFrom.has(this.#client)) await never;
  }

  #drop(): void {
    this.#up = false;
    this.#connection = {};
    const probe = async (): Promise<void> => {
      for (;;) {
        await this.#time.sleep(20 + 60 * this.#random());
        const server = this.#server;
        if (server.running && !server.hung && !server.cutFrom.has(this.#client)) break;
      }
      this.#up = true;
    };
    void probe();
  }
}

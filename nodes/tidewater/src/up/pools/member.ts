/** What a process is when it does its work. */
export interface Ready {
  readonly pid: number;
  /** Listeners by the process's name for them. */
  readonly ports: Readonly<Record<string, unknown>>;
}

/** One kind of process: how it is started and stopped. */
export interface Runner {
  /** Resolves when it does its work; rejects with the reason, the process being gone. `onExit`: it ended after that. */
  start(onExit: (why: string) => void): Promise<Ready>;
  /** Ends the process; harmless when there is none. */
  stop(): Promise<void>;
}

export type MemberState = "down" | "starting" | "ready" | "stopping";

export interface MemberOptions {
  readonly name: string;
  /** Its pool or store. */
  readonly pool: string;
  readonly host: string;
  readonly runner: Runner;
  /** Start it again when it dies. */
  readonly restart: boolean;
  readonly say: (line: string) => void;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** Who has lived so long begins again with the shortest wait. */
const STEADY_MS = 30_000;

/** One process that is kept running: started again when it dies, ever more slowly when it dies again and again. */
export class Member {
  readonly name: string;
  readonly pool: string;
  readonly host: string;
  readonly #runner: Runner;
  readonly #restart: boolean;
  readonly #say: (line: string) => void;
  #state: MemberState = "down";
  #wanted = false;
  #ready: Ready = { pid: 0, ports: {} };
  #readySince = 0;
  #waitMs = FIRST_WAIT_MS;
  #timer: NodeJS.Timeout | undefined;
  #restarts = 0;

  constructor({ name, pool, host, runner, restart, say }: MemberOptions) {
    this.name = name;
    this.pool = pool;
    this.host = host;
    this.#runner = runner;
    this.#restart = restart;
    this.#say = say;
  }

  get state(): MemberState {
    return this.#state;
  }

  /** Of the present process, 0 without one. */
  get pid(): number {
    return this.#state === "ready" ? this.#ready.pid : 0;
  }

  get ports(): Readonly<Record<string, unknown>> {
    return this.#ready.ports;
  }

  /** How often it was started again by itself. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Resolves when it is ready. Rejects when it did not get so far; it is tried again then only with `persist`. */
  async start({ persist = false }: { readonly persist?: boolean } = {}): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#state === "ready") return;
    this.#wanted = true;
    try {
      await this.#begin();
    } catch (error) {
      if (persist && this.#restart && this.#wanted) this.#again(messageOf(error));
      else this.#wanted = false;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    if (this.#state !== "down") this.#state = "stopping";
    await this.#runner.stop();
    this.#state = "down";
  }

  async #begin(): Promise<void> {
    this.#state = "starting";
    try {
      this.#ready = await this.#runner.start((why) => this.#exited(why));
    } catch (error) {
      this.#state = "down";
      throw error;
    }
    if (this.#state !== "starting") return; // it ended, or was stopped, in the same breath
    this.#state = "ready";
    this.#readySince = performance.now();
  }

  #exited(why: string): void {
    if (this.#state === "stopping" || !this.#wanted) return;
    this.#state = "down";
    if (performance.now() - this.#readySince > STEADY_MS) this.#waitMs = FIRST_WAIT_MS;
    if (!this.#restart) {
      this.#wanted = false;
      this.#say(`${this.name} ended (${why}); it stays down`);
    } else this.#again(`ended (${why})`);
  }

  #again(why: string): void {
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    this.#say(`${this.name} ${why}; starting it again in ${waitMs / 1000} s`);
    this.#timer = setTimeout(() => {
      this.#restarts++;
      const began = performance.now();
      this.#begin().then(
        () =>
          this.#say(
            `${this.name} is back (pid ${this.#ready.pid}, ${Math.round(performance.now() - began)} ms)`,
          ),
        (error: unknown) => {
          if (this.#wanted) this.#again(messageOf(error));
        },
      );
    }, waitMs);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

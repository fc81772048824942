import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Clock, Logger, Service, Timer } from "@ims/runtime";
import { StoreError } from "../errors.ts";
import { storeProblems } from "../problems.ts";
import type { MemcachedStore } from "./memcached-store.ts";
import { parseServers, type ServerAddress } from "./server-address.ts";

/** Which servers a pool uses, and which it is about to use instead. */
export interface ServersFile {
  readonly servers: readonly ServerAddress[];
  readonly next?: readonly ServerAddress[];
}

/** Of the format; a file of a later one is not read. */
const VERSION = 1;
const MAX_LENGTH = 65_536;

/**
 * Reads `{"version":1,"servers":["10.0.0.1:11211"],"next":["10.0.0.2:11211"]}`; `next` may be left out.
 * @throws StoreError STORE_SERVER_LIST
 */
export function parseServersFile(text: string): ServersFile {
  if (text.length > MAX_LENGTH) throw fault("is too long");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fault("is not JSON");
  }
  if (typeof json !== "object" || json === null || !("version" in json) || json.version !== VERSION)
    throw fault(`has not version ${VERSION}`);
  const servers = listOf("servers" in json ? json.servers : undefined, "servers");
  return "next" in json ? { servers, next: listOf(json.next, "next") } : { servers };
}

/** The file as it is now, for whoever builds the store. @throws StoreError STORE_SERVER_LIST */
export function readServersFile(path: string): ServersFile {
  try {
    return parseServersFile(readFileSync(path, "utf8"));
  } catch (error) {
    throw error instanceof StoreError ? error : fault(`cannot be read: ${codeOf(error)}`);
  }
}

export interface FollowServersFileOptions {
  readonly path: string;
  readonly store: MemcachedStore;
  readonly clock: Clock;
  readonly log?: Logger;
  /** Between two looks at the file, ms. Default 500. */
  readonly everyMs?: number;
  /** After `next` appears, until entries are brought over: every node must have read the file by then, ms. Default 5,000. */
  readonly settleMs?: number;
}

const EVERY_MS = 500;
const SETTLE_MS = 5_000;

/**
 * Keeps a store on the servers of a file, which is to be replaced in one step. When `next` appears, both sets are used
 * and, after a while, all entries are brought over; `synchronized` then tells that `next` may become `servers`. A file that
 * is missing or wrong changes nothing.
 */
export class ServersFileFollower implements Service {
  readonly #options: FollowServersFileOptions;
  #text = "";
  #complaint = "";
  #timer: Timer | undefined;
  #running = false;
  #synchronized = true;
  /** Counts the changes of the file. */
  #change = 0;

  constructor(options: FollowServersFileOptions) {
    this.#options = options;
  }

  /** False from the appearance of `next` until every entry is where it belongs. */
  get synchronized(): boolean {
    return this.#synchronized;
  }

  /** Why the file is not in force as it is now. */
  get problem(): string | undefined {
    return this.#complaint === "" ? undefined : this.#complaint;
  }

  async start(): Promise<void> {
    this.#running = true;
    await this.#look();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    return Promise.resolve();
  }

  async #look(): Promise<void> {
    const { path, clock, log, everyMs = EVERY_MS } = this.#options;
    try {
      const text = await readFile(path, "utf8");
      const file = text === this.#text ? undefined : parseServersFile(text);
      this.#text = text;
      this.#complaint = "";
      if (file !== undefined) await this.#adopt(file);
    } catch (error) {
      const complaint = error instanceof StoreError ? error.message : codeOf(error);
      if (complaint !== this.#complaint)
        log?.warn(
          { path, problem: complaint, problemId: storeProblems.serversFileRefused.id },
          "memcached servers stay as they are",
        );
      this.#complaint = complaint;
    }
    if (this.#running) this.#timer = clock.setTimer(everyMs, () => void this.#look());
  }

  async #adopt({ servers, next }: ServersFile): Promise<void> {
    const { store, log } = this.#options;
    const change = ++this.#change;
    this.#synchronized = next === undefined;
    await store.setServers(servers, next);
    log?.info({ servers: servers.map(({ id }) => id), next: next?.map(({ id }) => id) }, "memcached servers");
    if (next !== undefined) void this.#bringOver(change);
  }

  async #bringOver(change: number): Promise<void> {
    const { store, clock, log, settleMs = SETTLE_MS } = this.#options;
    for (;;) {
      await new Promise<void>((resolve) => clock.setTimer(settleMs, resolve));
      if (!this.#running || change !== this.#change) return;
      const result = await store.resync();
      if (change !== this.#change) return;
      log?.info({ ...result }, "memcached entries compared");
      if (!result.complete) continue; // a server was away: again
      this.#synchronized = true;
      return;
    }
  }
}

export function followServersFile(options: FollowServersFileOptions): ServersFileFollower {
  return new ServersFileFollower(options);
}

function listOf(value: unknown, name: string): ServerAddress[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string" && !one.includes(",")))
    throw fault(`${name} is not a list of host:port`);
  return parseServers(value.join(","));
}

function codeOf(error: unknown): string {
  return error instanceof Error
    ? String((error as NodeJS.ErrnoException).code ?? error.message)
    : String(error);
}

function fault(problem: string): StoreError {
  return new StoreError({ code: "STORE_SERVER_LIST", text: "the servers file", problem });
}

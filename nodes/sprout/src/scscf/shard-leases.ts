import type { Clock, Timer } from "@ims/runtime";
import { CALENDAR_SHARDS, type KvStore, update } from "@ims/store";

const TABLE = "lease";
const MEMBERS = "members";
/** A member that dies is replaced after this long. */
const TTL_SECONDS = 30;
const RENEW_MS = 10_000;
/** Stops acting for a shard this long before somebody else may begin: requests under way come to an end. */
const MARGIN_MS = 5_000;
/** How long the list of members is kept without any of them, s. */
const LIST_SECONDS = 86_400;
const PARALLEL = 8;

export interface ShardLeasesModules {
  readonly store: KvStore;
  readonly clock: Clock;
  /** Name of this process among the members; no two processes ever have the same. */
  readonly member: string;
}

/**
 * Which member of the pool looks after which shard of the calendar. A shard is held by whoever has put the entry for it; entries
 * lapse by the store's time, so no clock has to agree with another. The members share the shards: each wants those
 * that its name draws (the highest hash wins), takes them when they are free, and hands over the others.
 */
export class ShardLeases {
  readonly #modules: ShardLeasesModules;
  readonly #me: Buffer;
  /** Shard to the monotonic time until which it is ours. */
  readonly #held = new Map<number, number>();
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(modules: ShardLeasesModules) {
    this.#modules = modules;
    this.#me = Buffer.from(modules.member);
  }

  start(): void {
    if (this.#stopped) return;
    const { clock } = this.#modules;
    this.#round = this.#renewAll().finally(() => {
      if (!this.#stopped) this.#timer = clock.setTimer(RENEW_MS, () => this.start());
    });
  }

  holds(shard: number): boolean {
    const until = this.#held.get(shard);
    return until !== undefined && this.#modules.clock.monotonic() < until;
  }

  /** Shards held, in no order. */
  held(): number[] {
    return [...this.#held.keys()].filter((shard) => this.holds(shard));
  }

  /** Gives everything up, so that others need not wait. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#round;
    const shards = [...this.#held.keys()];
    this.#held.clear();
    let away = false;
    await inLanes(shards, async (shard) => {
      // A store that does not answer lets the leases run out; nobody waits for it sixty-four times.
      if (!away) away = !(await this.#release(shard));
    });
    if (!away) await this.#modules.store.delete(TABLE, presenceOf(this.#modules.member));
  }

  async #renewAll(): Promise<void> {
    const members = await this.#members();
    if (members === undefined) return;
    const { member } = this.#modules;
    const shards = Array.from({ length: CALENDAR_SHARDS }, (_, shard) => shard);
    await inLanes(shards, async (shard) => {
      if (this.#stopped) return;
      if (ownerOf(shard, members) === member) await this.#takeOrRenew(shard);
      else if (this.#held.delete(shard)) await this.#release(shard);
    });
  }

  /** Says that we are there, and asks who else is. Undefined when the store is away. */
  async #members(): Promise<readonly string[] | undefined> {
    const { store, member } = this.#modules;
    const presence = await update(store, TABLE, presenceOf(member), () => ({
      kind: "put",
      value: this.#me,
      ttlSeconds: TTL_SECONDS,
    }));
    if (presence.kind !== "stored") return undefined;
    const list = await store.get(TABLE, MEMBERS);
    if (list.kind === "unavailable") return undefined;
    const known = list.kind === "found" ? namesIn(list.value) : [];
    const present: string[] = [];
    for (const name of known) {
      const found = name === member ? undefined : await store.get(TABLE, presenceOf(name));
      if (found === undefined || found.kind !== "notFound") present.push(name);
    }
    if (!present.includes(member)) present.push(member);
    if (present.length !== known.length) {
      const gone = known.filter((name) => !present.includes(name));
      await update(store, TABLE, MEMBERS, (current) => {
        const names = new Set(current === undefined ? [] : namesIn(current));
        for (const name of gone) names.delete(name);
        names.add(member);
        return { kind: "put", value: Buffer.from([...names].join("\n")), ttlSeconds: LIST_SECONDS };
      });
    }
    return present;
  }

  async #takeOrRenew(shard: number): Promise<void> {
    const { store, clock } = this.#modules;
    const until = clock.monotonic() + TTL_SECONDS * 1000 - MARGIN_MS;
    const key = keyOf(shard);
    const found = await store.get(TABLE, key);
    if (found.kind === "unavailable") return;
    const mine = found.kind === "found" && this.#me.equals(found.value);
    if (found.kind === "found" && !mine) return void this.#held.delete(shard);
    const ifVersion = found.kind === "found" ? found.version : "absent";
    const put = await store.put(TABLE, key, this.#me, { ifVersion, ttlSeconds: TTL_SECONDS });
    if (put.kind === "stored") this.#held.set(shard, until);
    else if (put.kind === "contention") this.#held.delete(shard);
  }

  /** False when the store does not answer. */
  async #release(shard: number): Promise<boolean> {
    const { store } = this.#modules;
    const found = await store.get(TABLE, keyOf(shard));
    if (found.kind === "found" && this.#me.equals(found.value))
      return (await store.delete(TABLE, keyOf(shard), { ifVersion: found.version })).kind !== "unavailable";
    return found.kind !== "unavailable";
  }
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

/** The member that draws a shard: rendezvous hashing, so a member that comes or goes moves only its own. */
export function ownerOf(shard: number, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  for (const member of members) {
    const drawn = draw(`${shard} ${member}`);
    if (drawn > highest || (drawn === highest && owner !== undefined && member < owner)) {
      highest = drawn;
      owner = member;
    }
  }
  return owner;
}

/** FNV-1a, then the finalizer of MurmurHash3: names that differ in a digit draw unlike numbers. */
function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function keyOf(shard: number): string {
  return `calendar ${shard}`;
}

function presenceOf(member: string): string {
  return `member ${member}`;
}

function namesIn(value: Uint8Array): string[] {
  return Buffer.from(value)
    .toString()
    .split("\n")
    .filter((name) => name !== "");
}

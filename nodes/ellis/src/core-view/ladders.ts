import {
  type Examination,
  examine,
  gather,
  type NodeStep,
  pcapng,
  readTrailAnswer,
  type TrailNode,
} from "@ims/doctor";
import { type Clock, Slices, type Timer, VERSION } from "@ims/runtime";
import type { CoreNode } from "./core-nodes.ts";
import type { CoreWatch } from "./core-watch.ts";
import { Following } from "./following.ts";
import type { NodeClient, Reply } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";
import type { Turns } from "./turns.ts";

/** How often nodes are asked for what is new, by one question for all ladders that are watched. */
const TICK_MS = 1_000;
/** Keys of one question. */
const KEYS_AT_ONCE = 32;
const MOST_NEW = 1_000;
/** Steps that a node tells of one key at first: what is read in one go takes some milliseconds. */
const MOST_TOLD = 1_000;
/** Ladders that are watched at a time. */
const MOST_FOLLOWED = 32;
/** What a node may have been about to tell when it was asked before, ms. */
const OVERLAP_MS = 100;
/** As far as the clocks of machines may be apart before a node has said what its own is, ms. */
const CLOCKS_MS = 2_000;
const GOOD_MS = 1_500;
/** A message is looked for so long before and after its time, ms. */
const AROUND_MS = 50;
const STEPS_AROUND = 500;
const SEARCHES = 4;

export interface LaddersModules {
  readonly watch: CoreWatch;
  readonly client: NodeClient;
  readonly shared: SharedAnswers;
  readonly turns: Turns;
  readonly clock: Clock;
  /** How long a node may take to say how it is; for a search of all that it keeps four times as long, ms. */
  readonly patienceMs: number;
  readonly provisioning: { readonly url: string; readonly token: string | undefined };
}

/** Too many ladders are watched, and nobody watches more than a fair share of them. */
export class TooManyError extends Error {}

/** Who watches a ladder. */
export interface Watcher {
  /** Of the staff: all of one name are one. */
  readonly name: string;
  tell(document: string): void;
  /** Somebody who watches fewer has got its place. */
  ended(): void;
}

interface Followed {
  readonly name: string;
  readonly following: Following;
  readonly ready: Promise<void>;
  /** What was there at first is taken: what is new may be. */
  isReady: boolean;
  readonly watchers: Set<Watcher>;
  /** Of all that were ever followed. */
  readonly number: number;
}

/** What the trails of the nodes tell: ladders, as they are and as they grow, captures, diagnoses. */
export class CoreLadders {
  readonly #modules: LaddersModules;
  readonly #followed = new Map<string, Followed>();
  readonly #slices = new Slices();
  #count = 0;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;

  constructor(modules: LaddersModules) {
    this.#modules = modules;
  }

  /** The latest ladders of a key, as JSON. */
  ladders(key: string, last: number): Promise<string> {
    const { shared } = this.#modules;
    return shared.get(`ladders ${last} ${key}`, GOOD_MS, async () => {
      const following = new Following(key, last);
      await this.#begin(following);
      return following.document;
    });
  }

  /** Tells `watcher` of the ladders of a key now and whenever they have grown; gives what ends that. Throws TooManyError, TurnsFullError. */
  async follow(key: string, last: number, watcher: Watcher): Promise<() => void> {
    const name = `${last} ${key}`;
    const known = this.#followed.get(name) ?? this.#open(name, key, last, watcher);
    const { following, ready, watchers } = known;
    watchers.add(watcher);
    const end = (): void => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#followed.get(name) === known) this.#followed.delete(name);
    };
    try {
      await ready;
      known.isReady = true;
    } catch (error) {
      end();
      throw error;
    }
    if (watchers.has(watcher)) watcher.tell(following.document);
    this.#schedule();
    return end;
  }

  /** One message, without its secrets; undefined: the node does not have it any more, or there is no such node. */
  async step(asked: {
    readonly key: string;
    readonly node: string;
    readonly sequence: number;
    readonly time: number;
  }): Promise<{ readonly title: string; readonly text: string } | undefined> {
    const { watch, client, shared, turns, patienceMs } = this.#modules;
    const { key, sequence, time } = asked;
    const node = watch.keeping().nodes.find(({ name }) => name === asked.node);
    if (node === undefined) return undefined;
    return shared.get(`step ${node.name} ${sequence} ${time} ${key}`, GOOD_MS, async () => {
      const query = new URLSearchParams({ key, text: "true", limit: String(STEPS_AROUND) });
      query.set("since", String(Math.max(0, time - AROUND_MS)));
      query.set("until", String(time + AROUND_MS));
      const said = await turns.take(() => client.get(node.url, `/trail?${query}`, patienceMs * SEARCHES));
      if (said.kind === "silent" || said.status !== 200) return undefined;
      const read = await this.#slices.run(readTrailAnswer(said.text));
      const found = read?.steps.find((step) => step.sequence === sequence);
      if (found === undefined) return undefined;
      return { title: found.title, text: textOf(found) };
    });
  }

  /** A capture file of all that is known of a key; undefined: nothing is. */
  capture(key: string, last: number): Promise<Buffer | undefined> {
    const { turns, client, patienceMs } = this.#modules;
    return turns.take(async () => {
      const { nodes } = this.#nodes();
      const limits = { last, patienceMs: patienceMs * SEARCHES, slices: this.#slices };
      const options = { ...limits, text: true, token: client.token };
      const { exchanges } = await gather(nodes, key, options);
      return exchanges.length === 0 ? undefined : pcapng(exchanges, `Tidewater ${VERSION}`).bytes;
    });
  }

  /** What went wrong, as `tidewater doctor` says it. */
  examine(key: string, last: number): Promise<Examination> {
    const { shared, turns, client, patienceMs, provisioning } = this.#modules;
    return shared.get(`examination ${last} ${key}`, GOOD_MS, () =>
      turns.take(async () => {
        const { nodes, problems } = this.#nodes();
        const said = await examine(nodes, key, {
          ...{ last, token: client.token, provisioning },
          patienceMs: patienceMs * SEARCHES,
        });
        return { ...said, problems: [...problems, ...said.problems] };
      }),
    );
  }

  stop(): void {
    this.#followed.clear();
    this.#timer?.cancel();
  }

  #open(name: string, key: string, last: number, watcher: Watcher): Followed {
    if (this.#followed.size >= MOST_FOLLOWED) this.#makeRoomFor(watcher);
    const following = new Following(key, last);
    const ready = this.#begin(following);
    const watchers = new Set<Watcher>();
    const entry: Followed = { name, following, ready, isReady: false, watchers, number: this.#count++ };
    this.#followed.set(name, entry);
    return entry;
  }

  /** The oldest ladder whose watchers all have at least two more than who wants one, of those who have most, ends. */
  #makeRoomFor(watcher: Watcher): void {
    const namesOf = ({ watchers }: Followed): ReadonlySet<string> =>
      new Set([...watchers].map(({ name }) => name));
    const counts = new Map<string, number>();
    for (const entry of this.#followed.values())
      for (const name of namesOf(entry)) counts.set(name, (counts.get(name) ?? 0) + 1);
    let [most, given]: [number, Followed | undefined] = [(counts.get(watcher.name) ?? 0) + 1, undefined];
    for (const entry of this.#followed.values()) {
      const least = Math.min(...[...namesOf(entry)].map((name) => counts.get(name) ?? 0));
      if (least > most || (least === most && given !== undefined && entry.number < given.number))
        [most, given] = [least, entry];
    }
    if (given === undefined) throw new TooManyError();
    this.#followed.delete(given.name);
    const watchers = [...given.watchers];
    given.watchers.clear();
    for (const one of watchers) one.ended();
  }

  async #begin(following: Following): Promise<void> {
    const { turns, client, clock, patienceMs } = this.#modules;
    const { key, last } = following;
    await turns.take(async () => {
      const { nodes, problems } = this.#nodes();
      const until = clock.now() - CLOCKS_MS;
      const limits = { last, most: MOST_TOLD, patienceMs: patienceMs * SEARCHES, slices: this.#slices };
      const gathered = await gather(nodes, key, { ...limits, text: false, token: client.token });
      await this.#slices.run(following.begin(gathered, problems));
      const keys = following.keys();
      for (const { url } of nodes) following.asked(url, until, keys);
    });
  }

  #nodes(): { readonly nodes: readonly TrailNode[]; readonly problems: readonly string[] } {
    const { nodes, problems } = this.#modules.watch.keeping();
    return { nodes: nodes.map(({ name, url }) => ({ name, url })), problems };
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#round !== undefined || this.#followed.size === 0) return;
    this.#timer = this.#modules.clock.setTimer(TICK_MS, () => {
      this.#timer = undefined;
      this.#round = this.#refresh().finally(() => {
        this.#round = undefined;
        this.#schedule();
      });
    });
  }

  /** As many of those that are watched as one question has room for, in turns. */
  #next(): readonly Followed[] {
    const chosen: Followed[] = [];
    const keys = new Set<string>();
    for (const [name, entry] of [...this.#followed]) {
      if (!entry.isReady) continue;
      const more = entry.following.keys();
      if (chosen.length > 0 && new Set([...keys, ...more]).size > KEYS_AT_ONCE) break;
      for (const key of more) keys.add(key);
      chosen.push(entry);
      this.#followed.delete(name);
      this.#followed.set(name, entry);
    }
    return chosen;
  }

  async #refresh(): Promise<void> {
    const chosen = this.#next();
    if (chosen.length === 0) return;
    const { nodes, problems } = this.#modules.watch.keeping();
    const followings = chosen.map(({ following }) => following);
    const told = await Promise.all(nodes.map((node) => this.#ask(node, followings)));
    const steps = told.flatMap((one) => one.steps);
    const lines = [...problems, ...told.flatMap(({ problem }) => problem ?? [])];
    for (const { following, watchers } of chosen) {
      if (!(await this.#slices.run(following.take(steps, lines)))) continue;
      for (const watcher of [...watchers]) watcher.tell(following.document);
    }
  }

  /** What is new at one node for all of them. */
  async #ask(
    node: CoreNode,
    chosen: readonly Following[],
  ): Promise<{ readonly steps: readonly NodeStep[]; readonly problem?: string }> {
    const { client, clock, watch, patienceMs } = this.#modules;
    const keys = [...new Set(chosen.flatMap((one) => one.keys()))].slice(0, KEYS_AT_ONCE);
    // A node that has come meanwhile is asked for what was a moment ago.
    const since = Math.min(...chosen.map((one) => one.since(node.url, clock.now() - CLOCKS_MS)));
    const query = new URLSearchParams({ text: "false", limit: String(MOST_NEW) });
    query.set("since", Math.max(0, since - OVERLAP_MS).toFixed(3));
    for (const key of keys) query.append("key", key);
    const said = await client.get(node.url, `/trail?${query}`, patienceMs * SEARCHES);
    // It has other searches under way: what is new is told the next time.
    if (said.kind === "answer" && said.status === 503) return { steps: [] };
    if (said.kind === "silent") watch.told(node, false);
    const isGood = said.kind === "answer" && said.status === 200;
    const read = isGood ? await this.#slices.run(readTrailAnswer(said.text)) : undefined;
    if (read === undefined) return { steps: [], problem: `${node.name}: ${problemOf(said)}` };
    const { now, steps } = read;
    if (now !== undefined) for (const one of chosen) one.asked(node.url, now, keys);
    return { steps: steps.map((step) => ({ ...step, node: node.name })) };
  }
}

function problemOf(said: Reply): string {
  if (said.kind === "silent") return said.problem;
  const [line = ""] = said.text.trim().split("\n", 1);
  return said.status === 200 ? "its trail cannot be read" : `${said.status} ${line.slice(0, 200)}`;
}

/** Of Diameter: what was made out of it, and its octets. */
function textOf({ text, octets, fields = {} }: Pick<NodeStep, "text" | "octets" | "fields">): string {
  if (text !== undefined) return text;
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    name === "proof" ? [] : [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`],
  );
  return [...lines, ...(octets === undefined ? [] : ["", octets])].join("\n");
}

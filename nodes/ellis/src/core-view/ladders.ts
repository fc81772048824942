import type { Ladders } from "@ims/api";
import {
  type Examination,
  examine,
  gather,
  type NodeStep,
  pcapng,
  type TrailNode,
  trailAnswerSchema,
} from "@ims/doctor";
import { type Clock, type Timer, VERSION } from "@ims/runtime";
import type { CoreNode } from "./core-nodes.ts";
import type { CoreWatch } from "./core-watch.ts";
import { Following } from "./following.ts";
import type { NodeClient } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";
import type { Turns } from "./turns.ts";

/** How often nodes are asked for what is new, by one question for all ladders that are watched. */
const TICK_MS = 1_000;
/** Keys of one question. */
const KEYS_AT_ONCE = 32;
const MOST_NEW = 1_000;
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

/** Too many ladders are watched. */
export class TooManyError extends Error {}

/** What the trails of the nodes tell: ladders, as they are and as they grow, captures, diagnoses. */
export class CoreLadders {
  readonly #modules: LaddersModules;
  readonly #followed = new Map<string, { readonly following: Following; readonly ready: Promise<void> }>();
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;

  constructor(modules: LaddersModules) {
    this.#modules = modules;
  }

  /** The latest ladders of a key. */
  ladders(key: string, last: number): Promise<Ladders> {
    const { shared } = this.#modules;
    return shared.get(`ladders ${last} ${key}`, GOOD_MS, async () => {
      const following = new Following(key, last);
      await this.#begin(following);
      return JSON.parse(following.document) as Ladders;
    });
  }

  /** Tells `listener` of the ladders of a key now and whenever they have grown; gives what ends that. Throws TooManyError, TurnsFullError. */
  async follow(key: string, last: number, listener: (document: string) => void): Promise<() => void> {
    const name = `${last} ${key}`;
    const known = this.#followed.get(name) ?? this.#open(name, key, last);
    const { following, ready } = known;
    following.listeners.add(listener);
    const end = (): void => {
      following.listeners.delete(listener);
      if (following.listeners.size === 0 && this.#followed.get(name) === known) this.#followed.delete(name);
    };
    try {
      await ready;
    } catch (error) {
      end();
      throw error;
    }
    if (following.listeners.has(listener)) listener(following.document);
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
      const said = await turns.take(() => client.json(node.url, `/trail?${query}`, patienceMs * SEARCHES));
      const read = trailAnswerSchema.safeParse(said.kind === "json" ? said.json : undefined);
      const found = read.data?.steps.find((step) => step.sequence === sequence);
      if (found === undefined) return undefined;
      return { title: found.title, text: textOf(found) };
    });
  }

  /** A capture file of all that is known of a key; undefined: nothing is. */
  capture(key: string, last: number): Promise<Buffer | undefined> {
    const { turns, client, patienceMs } = this.#modules;
    return turns.take(async () => {
      const { nodes } = this.#nodes();
      const options = { last, text: true, token: client.token, patienceMs: patienceMs * SEARCHES };
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

  #open(
    name: string,
    key: string,
    last: number,
  ): { readonly following: Following; readonly ready: Promise<void> } {
    if (this.#followed.size >= MOST_FOLLOWED) throw new TooManyError();
    const following = new Following(key, last);
    const entry = { following, ready: this.#begin(following) };
    this.#followed.set(name, entry);
    return entry;
  }

  async #begin(following: Following): Promise<void> {
    const { turns, client, clock, patienceMs } = this.#modules;
    const { key, last } = following;
    await turns.take(async () => {
      const { nodes, problems } = this.#nodes();
      const until = clock.now() - CLOCKS_MS;
      const options = { last, text: false, token: client.token, patienceMs: patienceMs * SEARCHES };
      following.begin(await gather(nodes, key, options), problems);
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
  #next(): readonly Following[] {
    const chosen: Following[] = [];
    const keys = new Set<string>();
    for (const [name, entry] of [...this.#followed]) {
      const more = entry.following.keys();
      if (chosen.length > 0 && new Set([...keys, ...more]).size > KEYS_AT_ONCE) break;
      for (const key of more) keys.add(key);
      chosen.push(entry.following);
      this.#followed.delete(name);
      this.#followed.set(name, entry);
    }
    return chosen;
  }

  async #refresh(): Promise<void> {
    const chosen = this.#next();
    if (chosen.length === 0) return;
    const { nodes, problems } = this.#modules.watch.keeping();
    const told = await Promise.all(nodes.map((node) => this.#ask(node, chosen)));
    const steps = told.flatMap((one) => one.steps);
    const lines = [...problems, ...told.flatMap(({ problem }) => problem ?? [])];
    for (const following of chosen) {
      if (!following.take(steps, lines)) continue;
      for (const listener of [...following.listeners]) listener(following.document);
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
    const said = await client.json(node.url, `/trail?${query}`, patienceMs * SEARCHES);
    // It has other searches under way: what is new is told the next time.
    if (said.kind === "none" && said.status === 503) return { steps: [] };
    const read = trailAnswerSchema.safeParse(said.kind === "json" ? said.json : undefined);
    if (said.kind === "none" && said.status === 0) watch.told(node, false);
    if (!read.success)
      return {
        steps: [],
        problem: `${node.name}: ${said.kind === "none" ? said.problem : "its trail cannot be read"}`,
      };
    const { now, steps } = read.data;
    if (now !== undefined) for (const one of chosen) one.asked(node.url, now, keys);
    return { steps: steps.map((step) => ({ ...step, node: node.name })) };
  }
}

/** Of Diameter: what was made out of it, and its octets. */
function textOf({ text, octets, fields = {} }: Pick<NodeStep, "text" | "octets" | "fields">): string {
  if (text !== undefined) return text;
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    name === "proof" ? [] : [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`],
  );
  return [...lines, ...(octets === undefined ? [] : ["", octets])].join("\n");
}

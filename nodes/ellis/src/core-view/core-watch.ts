import type { CoreMember, PoolMap } from "@ims/api";
import type { Clock, Timer } from "@ims/runtime";
import { z } from "zod";
import { type CoreNode, type CoreNodes, keepsTrail } from "./core-nodes.ts";
import type { NodeClient } from "./node-client.ts";
import type { SharedAnswers } from "./shared-answers.ts";

/** How often all nodes are looked at when nobody asks, so that it is known since when one is away. */
const LOOK_MS = 10_000;
/** How long what a node says of itself is shown to all who ask. */
const GOOD_MS = 1_500;

const strings = z.array(z.string().max(1_000)).max(200);
const about = z.object({
  version: z.string().max(100),
  process: z.object({
    uptimeSeconds: z.number(),
    resourceUsage: z.object({ userCPUTime: z.number(), systemCPUTime: z.number() }),
    memory: z.object({ rss: z.number() }),
  }),
  machine: z.object({
    hostname: z.string().max(300),
    processors: z.number(),
    load: z.array(z.number()),
  }),
  /** Of a release before this one: nothing. */
  place: z.object({ cell: z.string().max(63).optional(), zone: z.string().max(63).optional() }).default({}),
  health: z.object({ state: z.string(), reasons: strings, notes: strings }),
});
type About = z.output<typeof about>;

type State = CoreMember["state"];
type Glance = Pick<CoreMember, "state" | "reasons" | "notes" | "problem">;
interface Seen {
  readonly state: State;
  /** ms since the epoch. */
  readonly since: number;
}

/** What a node is known to be, by its URL: looked at in turns, and when somebody wants to see it. */
export class CoreWatch {
  readonly #nodes: CoreNodes;
  readonly #client: NodeClient;
  readonly #shared: SharedAnswers;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  readonly #processor = new Map<string, { readonly at: number; readonly used: number }>();
  #timer: Timer | undefined;
  #ended = false;

  constructor(modules: {
    readonly nodes: CoreNodes;
    readonly client: NodeClient;
    readonly shared: SharedAnswers;
    readonly clock: Clock;
  }) {
    this.#nodes = modules.nodes;
    this.#client = modules.client;
    this.#shared = modules.shared;
    this.#clock = modules.clock;
  }

  start(): void {
    if (this.#nodes.configured) void this.#look();
  }

  stop(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  /** Those that answered when they were last asked, and one line for each of the others. */
  reachable(): { readonly nodes: readonly CoreNode[]; readonly problems: readonly string[] } {
    const nodes = this.#nodes.list();
    const away = nodes.filter(({ url }) => this.#seen.get(url)?.state === "unreachable");
    return {
      nodes: nodes.filter((node) => !away.includes(node)),
      problems: [
        ...(this.#nodes.problem === undefined ? [] : [this.#nodes.problem]),
        ...away.map(({ name, url }) => {
          const since = new Date(this.#seen.get(url)?.since ?? 0).toISOString();
          return `${name} does not answer at ${url}, since ${since}: what it knows is missing`;
        }),
      ],
    };
  }

  /** It did not answer when it was last asked. */
  isAway({ url }: CoreNode): boolean {
    return this.#seen.get(url)?.state === "unreachable";
  }

  /** Of those, the ones that keep a trail. */
  keeping(): ReturnType<CoreWatch["reachable"]> {
    const { nodes, problems } = this.reachable();
    return { nodes: nodes.filter(keepsTrail), problems };
  }

  /** Pools and members as they are now. */
  map(): Promise<PoolMap> {
    return this.#shared.get("pool map", GOOD_MS, async () => {
      const nodes = this.#nodes.list();
      const members = await Promise.all(nodes.map((node) => this.#member(node)));
      const pools = new Map<string, CoreMember[]>();
      for (const [index, member] of members.entries()) {
        const kind = nodes[index]?.kind ?? "";
        pools.set(kind, [...(pools.get(kind) ?? []), member]);
      }
      return {
        time: new Date(this.#clock.now()).toISOString(),
        pools: [...pools].map(([name, of]) => ({ name, members: of })),
        problems: this.#nodes.problem === undefined ? [] : [this.#nodes.problem],
      };
    });
  }

  /** A node did not answer, or did: whoever asks one tells. */
  told(node: CoreNode, answers: boolean): void {
    const known = this.#seen.get(node.url)?.state;
    if (!answers) this.#note(node, "unreachable");
    else if (known === "unreachable") this.#note(node, "not-ready");
  }

  async #look(): Promise<void> {
    const nodes = this.#nodes.list();
    await Promise.all(nodes.map((node) => this.#glance(node)));
    const there = new Set(nodes.map(({ url }) => url));
    for (const known of [this.#seen, this.#processor])
      for (const url of known.keys()) if (!there.has(url)) known.delete(url);
    if (this.#ended) return;
    this.#timer = this.#clock.setTimer(LOOK_MS, () => void this.#look());
  }

  /** As a load balancer asks. */
  async #glance(node: CoreNode): Promise<Glance> {
    const reply = await this.#client.get(node.url, "/health/ready");
    if (reply.kind === "silent") {
      this.#note(node, "unreachable");
      return { state: "unreachable", reasons: [], notes: [], problem: reply.problem };
    }
    const lines = reply.text.split("\n").filter((line) => line !== "");
    if (reply.status === 200 && lines[0] === "ready")
      return {
        state: this.#note(node, node.draining ? "draining" : "ready"),
        reasons: [],
        notes: lines.slice(1),
      };
    if (reply.status !== 503) {
      this.#note(node, "unreachable");
      const problem = "what answers there is no node of this release";
      return { state: "unreachable", reasons: [], notes: [], problem };
    }
    const state = lines.includes("quiescing") ? "draining" : "not-ready";
    return { state: this.#note(node, state), reasons: lines.slice(0, 50), notes: [] };
  }

  async #member(node: CoreNode): Promise<CoreMember> {
    const common = {
      name: node.name,
      address: new URL(node.url).host,
      ...(node.site === undefined ? {} : { site: node.site }),
    };
    const said = await this.#client.json(node.url, "/about");
    const read = about.safeParse(said.kind === "json" ? said.json : undefined);
    if (!read.success) {
      const looked = await this.#glanceUnlessSilent(node, said);
      // It says how it is, but not to us who it is.
      const problem = looked.problem ?? (said.kind === "none" ? said.problem : undefined);
      return {
        ...{ ...common, ...looked, ...this.#since(node) },
        ...(problem === undefined ? {} : { problem }),
      };
    }
    const { health } = read.data;
    const draining = node.draining || health.state === "quiescing";
    const ready = health.reasons.length === 0;
    const state = this.#note(node, draining ? "draining" : ready ? "ready" : "not-ready");
    return {
      ...{ ...common, state, ...this.#since(node) },
      ...{ reasons: health.reasons, notes: health.notes },
      ...this.#figures(node, read.data),
    };
  }

  #glanceUnlessSilent(
    node: CoreNode,
    said: Awaited<ReturnType<NodeClient["json"]>>,
  ): Promise<Glance> | Glance {
    if (said.kind === "json" || said.status !== 0) return this.#glance(node);
    this.#note(node, "unreachable");
    return { state: "unreachable", reasons: [], notes: [], problem: said.problem };
  }

  #figures(node: CoreNode, { version, process, machine, place }: About): Partial<CoreMember> {
    const used = process.resourceUsage.userCPUTime + process.resourceUsage.systemCPUTime;
    const at = this.#clock.monotonic();
    const before = this.#processor.get(node.url);
    this.#processor.set(node.url, { at, used });
    // A process that was started again has used less.
    const percent =
      before === undefined || used < before.used || at <= before.at
        ? undefined
        : Math.round(((used - before.used) / 1_000 / (at - before.at)) * 1_000) / 10;
    const [load] = machine.load;
    return {
      version,
      uptimeSeconds: process.uptimeSeconds,
      memoryBytes: process.memory.rss,
      host: machine.hostname,
      ...(place.cell === undefined ? {} : { cell: place.cell }),
      ...(place.zone === undefined ? {} : { zone: place.zone }),
      ...(percent === undefined ? {} : { processorPercent: percent }),
      ...(load === undefined ? {} : { machineLoad: Math.round((load / machine.processors) * 100) / 100 }),
    };
  }

  #note({ url }: CoreNode, state: State): State {
    if (this.#seen.get(url)?.state !== state) this.#seen.set(url, { state, since: this.#clock.now() });
    return state;
  }

  #since({ url }: CoreNode): { readonly since?: string } {
    const seen = this.#seen.get(url);
    return seen === undefined ? {} : { since: new Date(seen.since).toISOString() };
  }
}

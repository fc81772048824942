import { Slices, type Work } from "@ims/runtime";
import { type Asked, type Asker, askNode, type NodeStep, type Told } from "./ask-node.ts";
import { type Exchange, endOf, grouping, joining, startOf } from "./exchange.ts";
import { belongsNearby, CLOCKS_APART_MS, isRegistration, NEARBY_MS } from "./nearby.ts";
import { PIECE } from "./order.ts";
import type { TrailNode } from "./trail-node.ts";

export interface Gathered {
  readonly exchanges: readonly Exchange[];
  /** What was left out, because there are so many. */
  readonly earlier: number;
  /** Of the oldest step that any node still has. */
  readonly oldest: number | undefined;
  /** What the HSS has sent about the subscriber of its own accord (RTR, PPR), in order of time. */
  readonly pushed: readonly NodeStep[];
  /** What nodes could not be asked, one line each. */
  readonly problems: readonly string[];
}

export interface GatherOptions extends Asker {
  /** How many registrations and calls, the latest. */
  readonly last: number;
  readonly text: boolean;
  /** Steps that a node tells at a time. */
  readonly most?: number;
}

const MOST_ALIASES = 32;
const NOTHING: Told = { steps: [], oldest: undefined, truncated: false };

/**
 * All that the nodes know of a subscriber's last registrations and calls, or of one call. Nodes know parts of it: identities
 * lead to calls, calls to charging identities, and these to what was asked of the HSS meanwhile.
 */
export async function gather(
  nodes: readonly TrailNode[],
  key: string,
  { last, text, most, slices = new Slices(), ...from }: GatherOptions,
): Promise<Gathered> {
  const asker = { ...from, slices };
  const problems = new Set<string>();
  // Who has not answered one question is not waited for at the next ones.
  const silent = new Set<TrailNode>();
  let oldest: number | undefined;
  const ask = async (asked: Asked): Promise<NodeStep[]> => {
    if (asked.keys.length === 0) return [];
    const told = await Promise.all(
      nodes.map((node): Promise<Told> | Told => {
        if (silent.has(node)) return NOTHING;
        return askNode(node, { ...asked, most }, asker).catch((error: unknown): Told => {
          silent.add(node);
          if (node.optional !== true) problems.add(error instanceof Error ? error.message : String(error));
          return NOTHING;
        });
      }),
    );
    for (const one of told)
      if (one.oldest !== undefined) oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, one.oldest);
    return told.flatMap(({ steps }) => steps);
  };

  // 1. Who or what is it?
  const direct = await ask({ keys: [key] });
  const isCall = direct.some(({ callId, icid }) => callId === key || icid === key);
  const aliases = isCall ? [] : aliasesOf(direct, key);
  const named = aliases.length === 0 ? direct : [...direct, ...(await ask({ keys: aliases }))];
  const candidates = await slices.run(grouping(await slices.run(onceEach(named))));
  const chosen = candidates.slice(-last);

  // 2. Each with all that was said of it, at whatever node.
  const exchanges: Exchange[] = [];
  const done = new Set<string>();
  for (const candidate of chosen) {
    if (candidate.callIds.every((callId) => done.has(callId)) && !isRegistration(candidate)) continue;
    const whole = await wholeOf(candidate, text, ask, slices);
    for (const callId of whole.callIds) done.add(callId);
    exchanges.push(await withNeighbours(whole, text, ask, slices));
  }
  const pushes = await slices.run(onceEach(isCall ? [] : named.filter(isPushed)));
  const pushed = (await slices.run(joining(pushes))).steps;
  return {
    ...{ exchanges, earlier: candidates.length - chosen.length },
    ...{ oldest, pushed, problems: [...problems] },
  };
}

type Ask = (asked: Asked) => Promise<NodeStep[]>;

async function wholeOf(candidate: Exchange, text: boolean, ask: Ask, slices: Slices): Promise<Exchange> {
  const limits = isRegistration(candidate)
    ? { since: startOf(candidate) - NEARBY_MS, until: endOf(candidate) + NEARBY_MS }
    : {};
  let steps = await ask({ keys: [...candidate.callIds, ...candidate.icids], text, ...limits });
  const found = await slices.run(joining(steps));
  const more = found.callIds.filter((callId) => !candidate.callIds.includes(callId));
  const icids = found.icids.filter((icid) => !candidate.icids.includes(icid));
  if (more.length + icids.length > 0) {
    const further = await ask({ keys: [...more, ...icids], text, ...limits });
    steps = await slices.run(onceEach([...steps, ...further]));
  }
  return slices.run(joining(steps));
}

/** What was asked of the HSS for its users while it went on, and stores that failed them. */
async function withNeighbours(
  exchange: Exchange,
  text: boolean,
  ask: Ask,
  slices: Slices,
): Promise<Exchange> {
  const identities = [
    ...new Set(exchange.steps.flatMap(({ kind, identities: named = [] }) => (kind === "sip" ? named : []))),
  ];
  const since = startOf(exchange) - CLOCKS_APART_MS;
  const until = endOf(exchange) + NEARBY_MS;
  const near = await ask({ keys: identities, kinds: ["cx", "store"], since, until, text });
  const belongs = near.filter(belongsNearby(exchange));
  return slices.run(joining(await slices.run(onceEach([...exchange.steps, ...belongs]))));
}

/** Other identities of the subscriber: a REGISTER and the HSS name them together. */
function aliasesOf(steps: readonly NodeStep[], key: string): string[] {
  const found = new Set<string>();
  for (const { kind, method, identities = [] } of steps)
    if (kind === "cx" || (kind === "sip" && method === "REGISTER"))
      for (const identity of identities) found.add(identity);
  found.delete(key);
  return [...found].slice(0, MOST_ALIASES);
}

/** TS 29.228 §6.1.3, §6.2.2. */
function isPushed({ kind, title }: NodeStep): boolean {
  return kind === "cx" && /^(?:RTR|PPR)\b/.test(title);
}

function* onceEach(steps: readonly NodeStep[]): Work<NodeStep[]> {
  const known = new Map<string, NodeStep>();
  for (const [at, step] of steps.entries()) {
    if (at % PIECE === 0) yield;
    known.set(`${step.node} ${step.sequence}`, step);
  }
  return [...known.values()];
}

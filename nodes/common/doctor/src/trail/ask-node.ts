import { Slices, type Work } from "@ims/runtime";
import { z } from "zod";
import { boundedText } from "./bounded-text.ts";
import type { TrailNode } from "./trail-node.ts";

const answerSchema = z.object({
  /** Of its clock, ms since the epoch. */
  now: z.number().optional(),
  oldest: z.number().optional(),
  truncated: z.boolean(),
  steps: z.array(z.unknown()),
});

const stepSchema = z.object({
  sequence: z.number(),
  time: z.number(),
  direction: z.enum(["in", "out", ""]),
  kind: z.string(),
  title: z.string(),
  ends: z
    .object({
      protocol: z.string(),
      side: z.string().optional(),
      local: z.string(),
      remote: z.string(),
    })
    .optional(),
  callId: z.string().optional(),
  icid: z.string().optional(),
  session: z.string().optional(),
  identities: z.array(z.string()).optional(),
  message: z.string().optional(),
  request: z.boolean().optional(),
  method: z.string().optional(),
  status: z.number().optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
  text: z.string().optional(),
  octets: z.string().optional(),
});

type Step = z.output<typeof stepSchema>;

/** One step, and whose trail it is in. */
export type NodeStep = Step & { readonly node: string };

/** What a node answers. */
export interface TrailAnswer extends Omit<z.output<typeof answerSchema>, "steps"> {
  readonly steps: readonly Step[];
}

/** Steps that are read in one piece of work. */
const STEPS_AT_ONCE = 32;

/** What a node answers, of its JSON, in pieces; undefined: no node says that. */
export function* readTrailAnswer(text: string): Work<TrailAnswer | undefined> {
  yield;
  const json = jsonOf(text);
  yield;
  const { data: answer } = answerSchema.safeParse(json);
  if (answer === undefined) return undefined;
  const steps: Step[] = [];
  for (const [at, each] of answer.steps.entries()) {
    if (at % STEPS_AT_ONCE === 0) yield;
    const { data: step } = stepSchema.safeParse(each);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  return { ...answer, steps };
}

/** What a node wants to see of who asks it. */
export interface Asker {
  /** The management token; needed beyond loopback. */
  readonly token?: string | undefined;
  /** Aborted: the answer is not waited for. */
  readonly signal?: AbortSignal | undefined;
  /** How long one answer may take; default: 10 s. */
  readonly patienceMs?: number | undefined;
  /** Where answers are read, one after the other. */
  readonly slices?: Slices | undefined;
}

export interface Asked {
  readonly keys: readonly string[];
  readonly kinds?: readonly string[];
  /** ms since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly text?: boolean;
  /** The newest that many steps of a node; default: 5,000. */
  readonly most?: number | undefined;
}

export interface Told {
  readonly steps: readonly NodeStep[];
  readonly oldest: number | undefined;
  readonly truncated: boolean;
}

/** As many as a node takes in one question. */
const KEYS_AT_ONCE = 32;
const MOST_STEPS = 5_000;
const PATIENCE_MS = 10_000;
/** Of a node that has other searches under way. */
const TRIES = 20;
const PAUSE_MS = 100;
/** Bytes; a node itself stops at some 4 million characters. */
const LONGEST_ANSWER = 32_000_000;

/** Asks one node for what it knows. Rejects with one line when it does not answer as a node does. */
export async function askNode(node: TrailNode, asked: Asked, asker: Asker = {}): Promise<Told> {
  const steps = new Map<number, NodeStep>();
  let oldest: number | undefined;
  let truncated = false;
  for (let from = 0; from < asked.keys.length; from += KEYS_AT_ONCE) {
    const keys = asked.keys.slice(from, from + KEYS_AT_ONCE);
    const told = await askOnce(node, { ...asked, keys }, asker);
    for (const step of told.steps) steps.set(step.sequence, { ...step, node: node.name });
    oldest = told.oldest;
    truncated ||= told.truncated;
  }
  return { steps: [...steps.values()], oldest, truncated };
}

async function askOnce(
  node: TrailNode,
  asked: Asked,
  { token, signal, patienceMs = PATIENCE_MS, slices = new Slices() }: Asker,
): Promise<TrailAnswer> {
  const { most = MOST_STEPS } = asked;
  const query = new URLSearchParams({ limit: String(most), text: String(asked.text === true) });
  for (const key of asked.keys) query.append("key", key);
  for (const kind of asked.kinds ?? []) query.append("kind", kind);
  if (asked.since !== undefined) query.set("since", asked.since.toFixed(3));
  if (asked.until !== undefined) query.set("until", asked.until.toFixed(3));
  for (let tries = 1; ; tries++) {
    const response = await fetch(`${node.url}/trail?${query}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal === undefined ? [] : [signal])]),
      redirect: "error",
    }).catch((cause: unknown) => {
      throw new Error(`${node.name} does not answer at ${node.url}`, { cause });
    });
    const body = await boundedText(response, LONGEST_ANSWER).catch((cause: unknown) => {
      throw new Error(`${node.name} does not answer to the end at ${node.url}`, { cause });
    });
    if (body === undefined) throw new Error(`${node.name}: its answer is too long at ${node.url}`);
    if (response.status === 503 && tries < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    if (response.status !== 200)
      throw new Error(`${node.name}: ${body.split("\n", 1)[0] ?? response.status}`);
    const answer = await slices.run(readTrailAnswer(body));
    if (answer === undefined)
      throw new Error(`${node.name}: what answers at ${node.url} is no node of this core`);
    return answer;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

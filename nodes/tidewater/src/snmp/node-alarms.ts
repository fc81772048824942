import { ALARM_TYPES, PROBABLE_CAUSES, type ProbableCause, SEVERITIES } from "@ims/runtime";
import { z } from "zod";
import { askJson } from "../operate/ask-node.ts";
import type { AskedNode } from "../operate/running-nodes.ts";
import type { ActiveAlarm, Definition } from "./alarm-mib.ts";

const id = z.string().regex(/^TW-[0-9]{4,6}$/);
const list = z.object({
  active: z.array(
    z.object({
      alarmId: z.number(),
      problemId: id,
      objectInstance: z.string(),
      perceivedSeverity: z.enum(SEVERITIES),
      additionalText: z.string(),
      alarmRaisedTime: z.iso.datetime(),
      summary: z.string(),
    }),
  ),
  resends: z.number().default(0),
});
const definitions = z.object({
  problems: z.array(
    z.object({
      id,
      type: z.enum(ALARM_TYPES),
      probableCause: z.enum(Object.keys(PROBABLE_CAUSES) as [ProbableCause, ...ProbableCause[]]),
      summary: z.string(),
      action: z.string(),
    }),
  ),
});

/** What one look at the nodes has found. */
export interface Found {
  readonly alarms: readonly ActiveAlarm[];
  readonly definitions: readonly Definition[];
  /** To be told again, though nothing has changed. */
  readonly resent: readonly ActiveAlarm[];
  /** Nodes that did not answer, and why. */
  readonly silent: readonly { readonly node: AskedNode; readonly problem: string }[];
}

/** The alarms of several nodes as one list, each with a number that it keeps. */
export class NodeAlarms {
  readonly #numbers = new Map<string, number>();
  readonly #resends = new Map<string, number>();
  /** Of nodes that do not answer: what they said last. */
  #last = new Map<string, readonly ActiveAlarm[]>();
  #definitions = new Map<string, Definition>();
  #count = 0;

  async look(nodes: readonly AskedNode[]): Promise<Found> {
    const silent: { node: AskedNode; problem: string }[] = [];
    const resent: ActiveAlarm[] = [];
    const now = new Map<string, readonly ActiveAlarm[]>();
    await Promise.all(
      nodes.map(async (node) => {
        const problem = await this.#ask(node, now, resent);
        if (problem === undefined) return;
        silent.push({ node, problem });
        // Nobody knows whether they are over.
        now.set(node.url, this.#last.get(node.url) ?? []);
      }),
    );
    this.#last = now;
    const alarms = [...now.values()].flat();
    this.#forget(alarms);
    return { alarms, definitions: [...this.#definitions.values()], resent, silent };
  }

  async #ask(
    node: AskedNode,
    into: Map<string, readonly ActiveAlarm[]>,
    resent: ActiveAlarm[],
  ): Promise<string | undefined> {
    const answer = await askJson(node, "/alarms");
    if (answer.kind === "none") return answer.problem;
    const parsed = list.safeParse(answer.json);
    if (!parsed.success) return "what answers there is no node of this release";
    const { active, resends } = parsed.data;
    const unknown = active.some(({ problemId }) => !this.#definitions.has(problemId));
    if (unknown || !this.#resends.has(node.url)) await this.#learn(node);
    const place = node.node === new URL(node.url).host ? node.node : `${node.node} ${new URL(node.url).host}`;
    const alarms = active.map((record) => ({
      index: this.#numberOf(`${node.url} ${record.alarmId} ${record.alarmRaisedTime}`),
      place,
      record,
    }));
    into.set(node.url, alarms);
    const before = this.#resends.get(node.url);
    this.#resends.set(node.url, resends);
    if (before !== undefined && resends > before) resent.push(...alarms);
    return undefined;
  }

  async #learn(node: AskedNode): Promise<void> {
    const answer = await askJson(node, "/problems");
    const parsed = answer.kind === "json" ? definitions.safeParse(answer.json) : undefined;
    for (const one of parsed?.data?.problems ?? []) this.#definitions.set(one.id, one);
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, ++this.#count);
    return this.#count;
  }

  #forget(alarms: readonly ActiveAlarm[]): void {
    const used = new Set(alarms.map(({ index }) => index));
    for (const [key, number] of this.#numbers) if (!used.has(number)) this.#numbers.delete(key);
  }
}

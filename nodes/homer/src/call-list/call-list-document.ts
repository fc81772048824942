import { escapeXml } from "@ims/ims";
import { z } from "zod";
import type { StoredFragment } from "../store/call-list-repository.ts";

/** Application usage of call lists, the first step of their URIs, as Project Clearwater's Memento names it. */
export const CALL_LIST_USAGE = "org.projectclearwater.call-list";
export const CALL_LIST_NAME = "call-list.xml";
export const CALL_LIST_TYPE = "application/vnd.projectclearwater.call-list+xml";

const party = z.object({ uri: z.string(), name: z.string() });
const parties = z.object({
  outgoing: z.boolean(),
  to: party,
  from: party,
  answeredAt: z.number().optional(),
});
const ending = z.object({ endedAt: z.number() });
type Parties = z.output<typeof parties>;

/** Calls that can be shown: refused ones, and those whose beginning and end are there; the newest `most`, oldest first. */
export function callListDocument(fragments: readonly StoredFragment[], most: number): string {
  const calls = new Map<string, StoredFragment[]>();
  for (const fragment of fragments) {
    const key = `${fragment.startedAt} ${fragment.call}`;
    const known = calls.get(key);
    if (known === undefined) calls.set(key, [fragment]);
    else known.push(fragment);
  }
  const shown: string[] = [];
  for (const call of calls.values()) {
    const text = callElement(call);
    if (text !== undefined && shown.push(text) === most) break;
  }
  return `<call-list><calls>${shown.reverse().join("")}</calls></call-list>`;
}

/** Undefined while the call goes on, or when not all of it is there. */
function callElement(call: readonly StoredFragment[]): string | undefined {
  const of = (kind: StoredFragment["kind"]): StoredFragment | undefined =>
    call.find((fragment) => fragment.kind === kind);
  const [begin, end, rejected] = [of("begin"), of("end"), of("rejected")];
  const first = begin ?? rejected;
  const given = contentOf(first, parties);
  if (first === undefined || given === undefined) return undefined;
  if (first === rejected) return `<call>${common(given, first.startedAt, false)}</call>`;
  const ended = contentOf(end, ending);
  if (ended === undefined || given.answeredAt === undefined) return undefined;
  return (
    `<call>${common(given, first.startedAt, true)}<answer-time>${timeOf(given.answeredAt)}</answer-time>` +
    `<end-time>${timeOf(ended.endedAt)}</end-time></call>`
  );
}

function common({ outgoing, to, from }: Parties, startedAt: number, answered: boolean): string {
  return (
    `<to>${address(to)}</to><from>${address(from)}</from><answered>${Number(answered)}</answered>` +
    `<outgoing>${Number(outgoing)}</outgoing><start-time>${timeOf(startedAt)}</start-time>`
  );
}

function address({ uri, name }: Parties["to"]): string {
  return `<URI>${text(uri)}</URI>${name === "" ? "" : `<name>${text(name)}</name>`}`;
}

/** Without what may not stand in XML 1.0. */
function text(given: string): string {
  return escapeXml(given.toWellFormed().replace(/[\ufffe\uffff]/g, ""));
}

/** UTC, without a zone as Memento has it. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

function contentOf<T>(fragment: StoredFragment | undefined, schema: z.ZodType<T>): T | undefined {
  if (fragment === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(fragment.content)).data;
  } catch {
    return undefined;
  }
}

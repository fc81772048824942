import type { CallFragment } from "@ims/api";
import { escapeXml } from "@ims/ims";
import type { StoredFragment } from "../store/call-list-repository.ts";

/** Application usage of call lists, the first step of their URIs, as Project Clearwater's Memento names it. */
export const CALL_LIST_USAGE = "org.projectclearwater.call-list";
export const CALL_LIST_NAME = "call-list.xml";
export const CALL_LIST_TYPE = "application/vnd.projectclearwater.call-list+xml";

/** What a fragment adds to its call, ready for the document: a list of thousands of calls is put together in no time. */
export function fragmentElements(fragment: CallFragment): string {
  if (fragment.kind === "end") return `<end-time>${timeOf(fragment.endedAt)}</end-time>`;
  const { to, from, outgoing, startedAt } = fragment;
  const answered = fragment.kind === "begin";
  return (
    `<to>${address(to)}</to><from>${address(from)}</from><answered>${Number(answered)}</answered>` +
    `<outgoing>${Number(outgoing)}</outgoing><start-time>${timeOf(startedAt)}</start-time>` +
    (answered ? `<answer-time>${timeOf(fragment.answeredAt)}</answer-time>` : "")
  );
}

/** Calls that can be shown: refused ones, and those whose beginning and end are there; the newest `most`, oldest first. */
export function callListDocument(fragments: readonly StoredFragment[], most: number): string {
  const calls = new Map<string, Map<StoredFragment["kind"], string>>();
  for (const { startedAt, call, kind, elements } of fragments) {
    const key = `${startedAt} ${call}`;
    const known = calls.get(key);
    if (known === undefined) calls.set(key, new Map([[kind, elements]]));
    else known.set(kind, elements);
  }
  const shown: string[] = [];
  for (const call of calls.values()) {
    const [begin, end, rejected] = [call.get("begin"), call.get("end"), call.get("rejected")];
    const whole = begin !== undefined && end !== undefined ? begin + end : rejected;
    if (whole !== undefined && shown.push(`<call>${whole}</call>`) === most) break;
  }
  return `<call-list><calls>${shown.reverse().join("")}</calls></call-list>`;
}

function address({ uri, name }: { readonly uri: string; readonly name: string }): string {
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

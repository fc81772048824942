import type { TrailContent, TrailReader } from "./trail-step.ts";

export type NoteFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What happened beside messages. */
export interface Note {
  /** "decision", "store", "cx", "charging", ... */
  readonly kind: string;
  /** "": of no call. */
  readonly callId: string;
  /** What was decided or failed: "iFC", "ENUM", "get". */
  readonly what: string;
  readonly identities?: readonly string[];
  readonly fields?: NoteFields;
}

const SEPARATOR = "\n";
const LONGEST_VALUE = 500;

/** As text to be copied: its parts may be slices of a message that must not be kept. */
export function noteText({ kind, callId, what, identities = [], fields = {} }: Note): string {
  let text = `${plain(kind)}\n${plain(callId)}\n${plain(what)}\n${identities.length}`;
  for (const identity of identities) text += `\n${plain(identity)}`;
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) text += `\n${key}=${plain(String(value))}`;
  }
  return text;
}

/** In one line. */
function plain(text: string): string {
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
  return short.includes("\n") || short.includes("\r") ? short.replace(/[\r\n]+/g, " ") : short;
}

export const noteReader: TrailReader = {
  read(bytes): TrailContent {
    const [kind = "", callId = "", what = "", count = "0", ...rest] = bytes.toString("utf8").split(SEPARATOR);
    const identities = rest.slice(0, Number(count));
    const fields = new Map<string, string>();
    for (const line of rest.slice(Number(count))) {
      const equals = line.indexOf("=");
      fields.set(line.slice(0, equals), withoutPasswords(line.slice(equals + 1)));
    }
    // For programs that compare it.
    const said = [...fields].flatMap(([key, value]) => (key === "proof" ? [] : `${key} ${value}`)).join(", ");
    return {
      kind,
      title: said === "" ? what : `${what}: ${said}`,
      ...(callId === "" ? {} : { callId }),
      ...(identities.length === 0 ? {} : { identities }),
      fields: Object.fromEntries([["what", what], ...fields]),
    };
  },
};

/** RFC 3261 §19.1.1: a URI may have one. */
function withoutPasswords(value: string): string {
  return value.replace(/(sips?:[^\s:@<>"]{1,256}):[^\s@<>"]{0,256}@/gi, "$1:<hidden>@");
}

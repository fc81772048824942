import { EVENT_ID, getScalarValue, load, parseEvents, YAMLException } from "js-yaml";
import type { z } from "zod";

/** Something wrong in a file, for whoever edits it. */
export interface Fault {
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  /** Where in the document: vdus[2].pool.max; empty: the document itself. */
  readonly at: string;
  readonly problem: string;
}

export type Place = readonly PropertyKey[];

/** A checked document, and where in its file a part of it stands. */
export interface Located<T> {
  readonly kind: "read";
  readonly value: T;
  fault(place: Place, problem: string): Fault;
}

export type YamlReading<T> = Located<T> | { readonly kind: "bad"; readonly faults: readonly Fault[] };

const DEPTH_MAX = 20;

export function formatFault({ file, line, at, problem }: Fault): string {
  return `${file}${line === 0 ? "" : `:${line}`}: ${at === "" ? "" : `${at}: `}${problem}`;
}

/** Reads one YAML document and checks it; every fault is told with its line. No anchors: a file is read as it stands. */
export function readYaml<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
): YamlReading<z.output<S>> {
  let value: unknown;
  let lines: ReadonlyMap<string, number>;
  try {
    value = load(text, { filename: file, maxDepth: DEPTH_MAX, maxAliases: 0 });
    lines = linesOf(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? 0 : error.mark.line + 1;
    return { kind: "bad", faults: [{ file, line, at: "", problem: error.reason }] };
  }
  const fault = (place: Place, problem: string): Fault => {
    let line = 0;
    // What is missing has no line: that of what it is missing in.
    for (let depth = place.length; depth >= 0 && line === 0; depth--)
      line = lines.get(JSON.stringify(place.slice(0, depth).map(String))) ?? 0;
    return { file, line, at: formatPlace(place), problem };
  };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: "read", value: parsed.data, fault };
  return { kind: "bad", faults: parsed.error.issues.map((issue) => fault(issue.path, issue.message)) };
}

function formatPlace(place: Place): string {
  return place
    .map((part, at) => (typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${String(part)}`))
    .join("");
}

interface Frame {
  readonly path: readonly string[];
  readonly kind: "document" | "sequence" | "mapping";
  items: number;
  key: string | undefined;
}

/** The line of every key and item, by its path. */
function linesOf(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  let line = 0;
  const lineOf = (offset: number): number => {
    // Events come in the order of the text.
    while ((starts[line + 1] ?? Number.POSITIVE_INFINITY) <= offset) line++;
    return line + 1;
  };
  const stack: Frame[] = [];
  for (const event of parseEvents(text, { maxDepth: DEPTH_MAX })) {
    if (event.type === EVENT_ID.POP) {
      stack.pop();
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      stack.push({ path: [], kind: "document", items: 0, key: undefined });
      continue;
    }
    const parent = stack.at(-1);
    if (parent === undefined) continue;
    const offset =
      event.type === EVENT_ID.SCALAR
        ? event.valueStart
        : event.type === EVENT_ID.ALIAS
          ? event.anchorStart
          : event.start;
    if (parent.kind === "mapping" && parent.key === undefined && event.type === EVENT_ID.SCALAR) {
      parent.key = getScalarValue(text, event);
      lines.set(JSON.stringify([...parent.path, parent.key]), lineOf(offset));
      continue;
    }
    const path = parent.kind === "document" ? [] : [...parent.path, parent.key ?? String(parent.items)];
    parent.items++;
    parent.key = undefined;
    const id = JSON.stringify(path);
    if (!lines.has(id) && offset >= 0) lines.set(id, lineOf(offset));
    if (event.type === EVENT_ID.SEQUENCE) stack.push({ path, kind: "sequence", items: 0, key: undefined });
    if (event.type === EVENT_ID.MAPPING) stack.push({ path, kind: "mapping", items: 0, key: undefined });
  }
  return lines;
}

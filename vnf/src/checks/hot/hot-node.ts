import { EVENT_ID, getScalarValue, load, parseEvents, YAMLException } from "js-yaml";
import type { Fault } from "../../model/yaml-file.ts";

/** A part of a template with the line it stands on, from 1. */
export type HotNode = HotScalar | HotList | HotMap;

export interface HotScalar {
  readonly kind: "scalar";
  readonly text: string;
  /** Written without quotes: YAML decides what it is. */
  readonly plain: boolean;
  readonly line: number;
}

export interface HotList {
  readonly kind: "list";
  readonly items: readonly HotNode[];
  readonly line: number;
}

export interface HotEntry {
  readonly key: string;
  readonly line: number;
  readonly value: HotNode;
}

export interface HotMap {
  readonly kind: "map";
  readonly entries: readonly HotEntry[];
  readonly line: number;
}

export type HotReading =
  | { readonly kind: "read"; readonly root: HotNode }
  | { readonly kind: "bad"; readonly fault: Fault };

const DEPTH_MAX = 60;
const PLAIN = 1;

/** Reads one YAML document without anchors; keys that stand twice and YAML's own errors are faults. */
export function readHot(text: string, file: string): HotReading {
  try {
    load(text, { filename: file, maxDepth: DEPTH_MAX, maxAliases: 0 });
    const root = build(text);
    if (root !== undefined) return { kind: "read", root };
    return { kind: "bad", fault: { file, line: 0, at: "", problem: "the file is empty" } };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? 0 : error.mark.line + 1;
    return { kind: "bad", fault: { file, line, at: "", problem: error.reason } };
  }
}

function build(text: string): HotNode | undefined {
  const events = parseEvents(text, { maxDepth: DEPTH_MAX });
  const lineAt = lineFinder(text);
  let next = 0;
  const node = (): HotNode | undefined => {
    const event = events[next++];
    if (event === undefined || event.type === EVENT_ID.POP) return undefined;
    if (event.type === EVENT_ID.SCALAR)
      return {
        kind: "scalar",
        text: getScalarValue(text, event),
        plain: event.style === PLAIN,
        line: lineAt(event.valueStart),
      };
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
      const line = lineAt(event.start);
      const parts: HotNode[] = [];
      for (let part = node(); part !== undefined; part = node()) parts.push(part);
      return event.type === EVENT_ID.SEQUENCE
        ? { kind: "list", items: parts, line }
        : { kind: "map", entries: pairs(parts), line };
    }
    return { kind: "scalar", text: "", plain: true, line: 1 };
  };
  if (events[0]?.type === EVENT_ID.DOCUMENT) next = 1;
  return node();
}

function pairs(parts: readonly HotNode[]): HotEntry[] {
  const entries: HotEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const key = parts[at];
    const value = parts[at + 1];
    if (key === undefined || value === undefined) continue;
    entries.push({ key: key.kind === "scalar" ? key.text : "", line: key.line, value });
  }
  return entries;
}

function lineFinder(text: string): (position: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (position) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** The value of a key of a map; undefined for anything else. */
export function entry(node: HotNode | undefined, key: string): HotEntry | undefined {
  return node?.kind === "map" ? node.entries.find((one) => one.key === key) : undefined;
}

export function child(node: HotNode | undefined, ...keys: readonly string[]): HotNode | undefined {
  let at = node;
  for (const key of keys) at = entry(at, key)?.value;
  return at;
}

export function entries(node: HotNode | undefined): readonly HotEntry[] {
  return node?.kind === "map" ? node.entries : [];
}

export function items(node: HotNode | undefined): readonly HotNode[] {
  return node?.kind === "list" ? node.items : [];
}

export function textOf(node: HotNode | undefined): string | undefined {
  return node?.kind === "scalar" ? node.text : undefined;
}

/** Every node below, this one first. */
export function* walk(node: HotNode): Generator<HotNode> {
  yield node;
  if (node.kind === "list") for (const item of node.items) yield* walk(item);
  if (node.kind === "map") for (const { value } of node.entries) yield* walk(value);
}

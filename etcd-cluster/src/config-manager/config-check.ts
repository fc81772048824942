import { checkSettings, nearestName, optionsOf } from "@ims/runtime";
import type { z } from "zod";
import { readSettings } from "./settings.ts";

/** A kind of node that reads the shared configuration. */
export interface ConfigReader {
  /** Pool of its members: sprout. */
  readonly pool: string;
  readonly schema: z.ZodObject;
}

export interface ConfigProblem {
  /** 0: of no line. */
  readonly line: number;
  readonly key: string;
  readonly problem: string;
}

export type ConfigCheck =
  | {
      readonly kind: "valid";
      readonly settings: ReadonlyMap<string, string>;
      /** Pools that read each key. */
      readonly readers: ReadonlyMap<string, readonly string[]>;
    }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** Who reads a key of the file, and takes a new value of it without a restart. */
export type KeyReaders = (key: string) => readonly { readonly pool: string; readonly hot: boolean }[];

export function keyReaders(nodes: readonly ConfigReader[]): KeyReaders {
  const all = new Map<string, { readonly pool: string; readonly hot: boolean }[]>();
  for (const { pool, schema } of nodes)
    for (const { fileKeys, hot } of optionsOf(pool, schema))
      for (const key of fileKeys) all.set(key, [...(all.get(key) ?? []), { pool, hot }]);
  return (key) => all.get(key) ?? [];
}

/** Keys whose values show nowhere, also of a text that nodes would refuse. */
export function secretsOf(text: string, nodes: readonly ConfigReader[]): ReadonlySet<string> {
  const read = readSettings(text);
  if (read.kind === "malformed") return new Set();
  return new Set(nodes.flatMap(({ schema }) => checkSettings(schema, read.settings).secret));
}

/** The text of a shared_config as the nodes would read it; a key that no node knows is a mistake. */
export function checkConfig(text: string, nodes: readonly ConfigReader[]): ConfigCheck {
  const read = readSettings(text);
  if (read.kind === "malformed")
    return { kind: "invalid", problems: [{ line: read.line, key: "", problem: read.problem }] };
  const { settings } = read;
  const readers = new Map<string, string[]>();
  const problems = new Map<string, string>();
  for (const { pool, schema } of nodes) {
    const check = checkSettings(schema, settings);
    for (const key of check.known) readers.set(key, [...(readers.get(key) ?? []), pool]);
    for (const { key, problem } of check.problems)
      if (!problems.has(key)) problems.set(key, `${pool} would refuse it: ${problem}`);
  }
  for (const key of settings.keys()) if (!readers.has(key)) problems.set(key, unknown(key, nodes));
  if (problems.size === 0) return { kind: "valid", settings, readers };
  const lines = text.split(/\r?\n/);
  const lineOf = (key: string): number =>
    1 + lines.findIndex((line) => line.trim().split("=")[0]?.trim() === key);
  return {
    kind: "invalid",
    problems: [...problems]
      .map(([key, problem]) => ({ line: lineOf(key), key, problem }))
      .sort((one, other) => one.line - other.line),
  };
}

function unknown(key: string, nodes: readonly ConfigReader[]): string {
  const names = nodes.flatMap(({ pool, schema }) =>
    optionsOf(pool, schema).flatMap(({ fileKeys }) => fileKeys[0] ?? []),
  );
  const near = nearestName(key.toLowerCase(), names);
  const hint = near === undefined ? "docs/reference/configuration.md has all" : `did you mean ${near}?`;
  return nodes.length === 1
    ? `${nodes[0]?.pool ?? ""} has no such option (${hint})`
    : `no node has such an option (${hint})`;
}

import { type ConfigReader, keyReaders, readSettings, secretsOf } from "@ims/etcd-cluster";
import { loadOptions, type ShownOption, shownOptions } from "@ims/runtime";
import { z } from "zod";
import { askJson } from "../operate/ask-node.ts";
import type { AskedNode } from "../operate/running-nodes.ts";
import type { NodeName } from "./node-schemas.ts";
import type { Found } from "./target.ts";
import { tell } from "./tell.ts";

/** Kinds of place that a value comes from. */
export type Origin = "default" | "file" | "environment" | "etcd" | "command line";

interface Row {
  readonly node: string;
  readonly option: string;
  readonly value: unknown;
  readonly origin: Origin;
  /** The line, variable or argument. */
  readonly source: string;
  readonly next?: { readonly value: unknown; readonly source: string };
}

const shown = z.object({ value: z.unknown(), source: z.string() });
const about = z.object({
  node: z.string(),
  options: z.record(z.string(), shown.extend({ next: shown.exactOptional() })),
});

interface ShowOptions {
  readonly json: boolean;
  /** Only what is not at its default. */
  readonly changed: boolean;
  /** Only what a restart would change. */
  readonly pending?: boolean;
}

/** What running nodes work with. Exit code 1 when one does not tell. */
export async function showRunning(nodes: readonly AskedNode[], options: ShowOptions): Promise<number> {
  const rows: Row[] = [];
  let well = true;
  for (const node of nodes) {
    const answer = await askJson(node, "/about");
    const parsed = answer.kind === "json" ? about.safeParse(answer.json) : undefined;
    if (parsed?.success === true) rows.push(...rowsOf(parsed.data.node, parsed.data.options));
    else {
      well = false;
      const problem =
        answer.kind === "none" ? answer.problem : `${node.node} (${node.url}): no node of this release`;
      console.error(`tidewater: ${problem}`);
    }
  }
  print(rows, options);
  return well ? 0 : 1;
}

/** What a node would work with, were it started here with this file as its --config. */
export function showOf({ pool, schema }: ConfigReader, file: string, options: ShowOptions): number {
  const loaded = loadOptions({ name: pool, schema, argv: ["--config", file], env: process.env });
  if (loaded.kind !== "loaded") {
    for (const line of loaded.kind === "invalid" ? loaded.lines : []) console.error(`tidewater: ${line}`);
    return 1;
  }
  print(rowsOf(pool, shownOptions(schema, loaded.options, loaded.sources)), options);
  return 0;
}

/** What stands in etcd, or in the file that all nodes of a machine read: for whom, and whether they take it at once. */
export function showKept(
  found: Found,
  nodes: readonly ConfigReader[],
  { name, json }: { readonly name: string; readonly json: boolean },
): number {
  if (found.kind !== "config") return tell(found, { json });
  const { document, recorded } = found;
  const { number, at, author, comment, text } = document;
  const read = readSettings(text);
  if (read.kind === "malformed") {
    console.error(`tidewater: ${name}: line ${read.line} of configuration ${number}: ${read.problem}`);
    return 1;
  }
  const readers = keyReaders(nodes);
  const secrets = secretsOf(text, nodes);
  const settings = [...read.settings].map(([key, value]) => ({
    option: key,
    // What no node knows any more shows no value.
    value: secrets.has(key) || readers(key).length === 0 ? "(secret)" : value,
    nodes: readers(key).map(({ pool }) => pool),
    restart: readers(key).flatMap(({ pool, hot }) => (hot ? [] : [pool])),
  }));
  const time = new Date(at).toISOString();
  if (json)
    console.log(
      JSON.stringify({ source: name, number, recorded, at: time, author, comment, settings }, undefined, 2),
    );
  else {
    const who = author === "" ? comment : `${author}${comment === "" ? "" : `: ${comment}`}`;
    console.log(`# ${name}, configuration ${number}, ${time}, ${who}`);
    for (const { option, value, nodes: pools, restart } of settings) {
      const how = restart.length === 0 ? "at once" : "with a restart";
      console.log(`${option}=${value}  # ${pools.length === 0 ? "no node" : `${pools.join(", ")}: ${how}`}`);
    }
  }
  return 0;
}

function rowsOf(node: string, options: Readonly<Record<string, ShownOption>>): Row[] {
  return Object.entries(options).map(([key, { value, source, next }]) => ({
    ...{ node, option: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value },
    ...{ origin: originOf(source), source },
    ...(next === undefined ? {} : { next }),
  }));
}

/** By how the loader writes sources. */
function originOf(source: string): Origin {
  if (source === "default") return "default";
  if (source.startsWith("etcd,")) return "etcd";
  if (source.startsWith("--")) return "command line";
  return /^TIDEWATER_[A-Z0-9_]+$/.test(source) ? "environment" : "file";
}

function print(all: readonly Row[], { json, changed, pending = false }: ShowOptions): void {
  const rows = all.filter(
    ({ origin, next }) =>
      (pending ? next !== undefined : true) && (!changed || origin !== "default" || next !== undefined),
  );
  if (json) return console.log(JSON.stringify(rows, undefined, 2));
  for (const { node, option, value, origin, source, next } of rows) {
    const place = origin === "default" ? "" : `: ${source}`;
    console.log(`${node}.${option}=${textOf(value)}  # ${origin}${place}`);
    if (next !== undefined)
      console.log(`  with the next start ${textOf(next.value)}  # ${originOf(next.source)}: ${next.source}`);
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Of the command line. */
export function isNode(name: string, names: readonly NodeName[]): name is NodeName {
  return names.some((one) => one === name);
}

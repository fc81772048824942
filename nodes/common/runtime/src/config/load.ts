import type { z } from "zod";
import { parseCommandLine } from "./command-line.ts";
import { readConfigFile } from "./config-file.ts";
import { contradictions } from "./contradictions.ts";
import { nearestName } from "./nearest-name.ts";
import { fromText, type Option, optionsOf } from "./option.ts";
import { environmentPrefix } from "./option-names.ts";

/** Where what all nodes of a deployment share is written. */
export const SHARED_CONFIG_PATH = "/etc/tidewater/shared_config";

export type LoadResult<Options> =
  | {
      readonly kind: "loaded";
      /** Frozen. */
      readonly options: Readonly<Options>;
      /** For each option that is not at its default: where its value came from. */
      readonly sources: ReadonlyMap<string, string>;
      /** The files that were read, or would have been. */
      readonly files: readonly string[];
      /** Options that a running node takes at once. */
      readonly hot: ReadonlySet<string>;
    }
  | { readonly kind: "help"; readonly text: string }
  /** One line a mistake, for standard error; the process ends with 2. */
  | { readonly kind: "invalid"; readonly lines: readonly string[] };

export interface LoadRequest<Schema extends z.ZodObject> {
  /** The node: prefix of messages and of environment variables. */
  readonly name: string;
  readonly description?: string;
  readonly schema: Schema;
  /** Arguments without the program. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sharedConfigPath?: string;
}

interface Found {
  readonly text: string;
  readonly source: string;
}

/** Defaults, then the shared file, `--config FILE`, TIDEWATER_<NODE>_<KEY>, `--key value`: the later wins. */
export function loadOptions<Schema extends z.ZodObject>(
  request: LoadRequest<Schema>,
): LoadResult<z.output<Schema>> {
  const { name, schema, argv, env } = request;
  const sharedConfigPath = request.sharedConfigPath ?? SHARED_CONFIG_PATH;
  const options = optionsOf(name, schema);
  const description = request.description ?? `The ${name} node.`;
  const commandLine = parseCommandLine(argv, { name, description, options, sharedConfigPath });
  if (commandLine.kind === "help") return commandLine;
  if (commandLine.kind === "invalid") return { kind: "invalid", lines: [`${name}: ${commandLine.line}`] };

  const found = new Map<string, Found>();
  const lines: string[] = [];
  const shared = commandLine.sharedConfig ?? sharedConfigPath;
  lines.push(
    ...fromFile(
      shared,
      options,
      { mayMiss: commandLine.sharedConfig === undefined, mayHoldOthers: true },
      found,
    ),
  );
  if (commandLine.config !== undefined) {
    lines.push(...fromFile(commandLine.config, options, { mayMiss: false, mayHoldOthers: false }, found));
  }
  lines.push(...fromEnvironment(name, env, options, found));
  for (const option of options) {
    const text = commandLine.values.get(option.key);
    if (text !== undefined) found.set(option.key, { text, source: `--${option.commandLine}` });
  }
  const parsed = parse(schema, options, found);
  if (parsed.kind === "invalid") lines.push(...parsed.lines);
  if (lines.length > 0 || parsed.kind === "invalid")
    return { kind: "invalid", lines: lines.map((line) => `${name}: ${line}`) };
  const sources = new Map([...found].map(([key, { source }]) => [key, source]));
  return {
    kind: "loaded",
    options: Object.freeze(parsed.options),
    sources,
    files: [shared, ...(commandLine.config === undefined ? [] : [commandLine.config])],
    hot: new Set(options.flatMap(({ key, hot }) => (hot ? [key] : []))),
  };
}

function fromFile(
  path: string,
  options: readonly Option[],
  { mayMiss, mayHoldOthers }: { readonly mayMiss: boolean; readonly mayHoldOthers: boolean },
  into: Map<string, Found>,
): string[] {
  const file = readConfigFile(path);
  if (file.kind === "missing") return mayMiss ? [] : [`${path}: there is no such file`];
  if (file.kind === "unreadable") return [`${path}: cannot be read: ${file.reason}`];
  if (file.kind === "malformed") return [`${path}:${file.line}: ${file.reason}`];
  const byFileKey = new Map(
    options.flatMap((option) => option.fileKeys.map((key) => [key, option] as const)),
  );
  const lines: string[] = [];
  for (const { key, value, line } of file.entries) {
    const option = byFileKey.get(key);
    const place = `${path}:${line}: ${key}`;
    const source = file.siteNumber === undefined ? place : `etcd, configuration ${file.siteNumber}: ${place}`;
    if (option !== undefined) into.set(option.key, { text: value, source });
    else if (!mayHoldOthers) {
      const near = nearestName(key, byFileKey.keys());
      lines.push(
        `${path}:${line}: unknown key "${key}"${near === undefined ? "" : ` (did you mean ${near}?)`}`,
      );
    }
  }
  return lines;
}

function fromEnvironment(
  name: string,
  env: LoadRequest<z.ZodObject>["env"],
  options: readonly Option[],
  into: Map<string, Found>,
): string[] {
  const byVariable = new Map(options.map((option) => [option.environment, option]));
  const lines: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(environmentPrefix(name)) || text === undefined) continue;
    const option = byVariable.get(variable);
    if (option === undefined) lines.push(`environment: unknown variable ${variable}`);
    else into.set(option.key, { text, source: variable });
  }
  return lines;
}

function parse<Schema extends z.ZodObject>(
  schema: Schema,
  options: readonly Option[],
  found: ReadonlyMap<string, Found>,
): { kind: "valid"; options: z.output<Schema> } | { kind: "invalid"; lines: string[] } {
  const input: Record<string, unknown> = Object.create(null);
  for (const option of options) {
    const value = found.get(option.key);
    if (value !== undefined) input[option.key] = fromText(option, value.text);
  }
  const result = schema.safeParse({ ...input });
  const byKey = new Map(options.map((option) => [option.key, option]));
  if (result.success) {
    const wrong = contradictions(options, new Map(Object.entries(result.data)));
    if (wrong.length === 0) return { kind: "valid", options: result.data };
    const place = (key: string): string =>
      found.get(key)?.source ?? `--${byKey.get(key)?.commandLine ?? key}`;
    return { kind: "invalid", lines: wrong.map(({ key, problem }) => `${place(key)}: ${problem}`) };
  }
  const lines = result.error.issues.map((issue) => {
    const option = byKey.get(String(issue.path[0] ?? ""));
    if (option === undefined) return issue.message;
    const value = found.get(option.key);
    if (value === undefined)
      return `--${option.commandLine} (or ${option.environment}) is needed: ${issue.message}`;
    const shown = option.secret ? "" : ` ${JSON.stringify(value.text)}`;
    return `${value.source}${shown}: ${issue.message}`;
  });
  return { kind: "invalid", lines };
}

import { readFileSync } from "node:fs";
import { z } from "zod";
import { ImsError } from "../errors.ts";

export type ConfigFault =
  | { readonly code: "CONFIG_UNKNOWN_OPTION"; readonly option: string; readonly source: string }
  | {
      readonly code: "CONFIG_BAD_VALUE";
      readonly option: string;
      readonly source: string;
      readonly problem: string;
    }
  | { readonly code: "CONFIG_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "CONFIG_USAGE"; readonly problem: string };

/** A mistake of whoever configured the node; its message is one line for him. */
export class ConfigError extends ImsError<ConfigFault> {}

export interface LoadedOptions<T> {
  readonly options: Readonly<T>;
  /** Where each value came from: "default", a file and line, an environment variable or the command line. */
  readonly sources: ReadonlyMap<string, string>;
  readonly help: boolean;
}

/**
 * Options of a node from defaults < file (`--config FILE`, lines `key=value`) < environment (`TIDEWATER_<NODE>_<KEY>`) <
 * command line (`--key value`, `--key=value`). Keys are the schema's, in kebab-case outside.
 */
export function loadOptions<S extends z.ZodObject>(
  name: string,
  schema: S,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): LoadedOptions<z.output<S>> {
  const known = new Map(Object.keys(schema.shape).map((key) => [kebab(key), key]));
  const texts = new Map<string, { text: string; source: string }>();
  const set = (option: string, text: string, source: string): void => {
    const key = known.get(option);
    if (key === undefined)
      throw new ConfigError(
        { code: "CONFIG_UNKNOWN_OPTION", option, source },
        { message: `${source}: there is no option "${option}" (see --help)` },
      );
    texts.set(key, { text, source });
  };

  const given = readArguments(argv);
  if (given.file !== undefined) readFile(given.file, set);
  const prefix = `TIDEWATER_${name.toUpperCase().replaceAll("-", "_")}_`;
  for (const [variable, text] of Object.entries(environment))
    if (variable.startsWith(prefix) && text !== undefined)
      set(variable.slice(prefix.length).toLowerCase().replaceAll("_", "-"), text, variable);
  for (const [option, text] of given.pairs) set(option, text, "command line");
  if (given.help) return { options: {} as z.output<S>, sources: new Map(), help: true };

  const raw: Record<string, unknown> = {};
  const sources = new Map<string, string>(Object.keys(schema.shape).map((key) => [key, "default"]));
  for (const [key, { text, source }] of texts) {
    raw[key] = coerce(schema.shape[key] as z.ZodType, text);
    sources.set(key, source);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { options: Object.freeze(parsed.data), sources, help: false };
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0] ?? "");
  const source = sources.get(key) ?? "default";
  const problem = issue?.message ?? "bad value";
  const option = kebab(key);
  throw new ConfigError(
    { code: "CONFIG_BAD_VALUE", option, source, problem },
    { message: option === "" ? problem : `${source}: option "${option}": ${problem}` },
  );
}

/** Text for `--help`: every option with its default and description. */
export function helpOf(name: string, schema: z.ZodObject): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as {
    properties?: Record<string, { description?: string; default?: unknown }>;
  };
  const lines = Object.entries(json.properties ?? {}).map(([key, { description, default: value }]) => {
    const usual = value === undefined ? "" : ` [${JSON.stringify(value)}]`;
    return `  --${kebab(key).padEnd(30)} ${description ?? ""}${usual}`;
  });
  return `Usage: ${name} [--config FILE] [--option value ...]\n\nOptions (also TIDEWATER_${name.toUpperCase()}_<OPTION> and lines option=value in FILE):\n${lines.join("\n")}\n`;
}

function readArguments(argv: readonly string[]): {
  file: string | undefined;
  help: boolean;
  pairs: [string, string][];
} {
  const pairs: [string, string][] = [];
  let file: string | undefined;
  let help = false;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? "";
    if (argument === "--help" || argument === "-h") {
      help = true;
      continue;
    }
    if (!argument.startsWith("--"))
      throw new ConfigError(
        { code: "CONFIG_USAGE", problem: argument },
        { message: `"${argument}" is no option (see --help)` },
      );
    const equals = argument.indexOf("=");
    const option = argument.slice(2, equals < 0 ? undefined : equals);
    const text = equals < 0 ? argv[++at] : argument.slice(equals + 1);
    if (text === undefined)
      throw new ConfigError(
        { code: "CONFIG_USAGE", problem: option },
        { message: `--${option} needs a value` },
      );
    if (option === "config") file = text;
    else pairs.push([option, text]);
  }
  return { file, help, pairs };
}

function readFile(file: string, set: (option: string, text: string, source: string) => void): void {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (cause) {
    const problem = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new ConfigError(
      { code: "CONFIG_FILE", file, problem },
      { cause, message: `${file}: cannot be read (${problem})` },
    );
  }
  content.split("\n").forEach((line, index) => {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) return;
    const equals = text.indexOf("=");
    if (equals <= 0)
      throw new ConfigError(
        { code: "CONFIG_FILE", file, problem: `line ${index + 1}` },
        { message: `${file}:${index + 1}: write option=value` },
      );
    set(
      text.slice(0, equals).trim().replaceAll("_", "-"),
      text
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1"),
      `${file}:${index + 1}`,
    );
  });
}

/** Text into what the schema's field wants: numbers, booleans and lists are written as text outside. */
function coerce(field: z.ZodType, text: string): unknown {
  const json = z.toJSONSchema(field, { io: "input", unrepresentable: "any" }) as {
    type?: string;
    anyOf?: { type?: string }[];
  };
  const types = [json.type, ...(json.anyOf ?? []).map((one) => one.type)];
  if (
    (types.includes("number") || types.includes("integer")) &&
    text.trim() !== "" &&
    Number.isFinite(Number(text))
  )
    return Number(text);
  if (types.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.includes("array")) return text === "" ? [] : text.split(",").map((one) => one.trim());
  return text;
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

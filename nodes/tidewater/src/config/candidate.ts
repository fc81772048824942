import { open } from "node:fs/promises";
import { load, YAMLException } from "js-yaml";

/** A file that may become the configuration. */
export type Candidate =
  | {
      readonly kind: "text";
      /** key=value lines. */
      readonly text: string;
      /** Line of the file in which a key stands; 0: none. */
      lineOf(key: string): number;
    }
  | { readonly kind: "broken"; readonly line: number; readonly problem: string };

/** More than any configuration has. */
const MAX_BYTES = 1_048_576;

/** Reads key=value lines; of a file named .json, .yaml or .yml: a mapping of names to values. Rejects with what the file system says. */
export async function readCandidate(path: string): Promise<Candidate> {
  const text = await contentOf(path);
  if (text === undefined) return broken(0, `is larger than ${MAX_BYTES} bytes: no configuration`);
  if (/\.json$/i.test(path)) return fromJson(text);
  if (/\.ya?ml$/i.test(path)) return fromYaml(text);
  return { kind: "text", text, lineOf: (key) => lineMatching(text, (line) => keyOf(line, "=") === key) };
}

/** Undefined: it is too large. What is no file but a pipe or a device is read as far as that. */
async function contentOf(path: string): Promise<string | undefined> {
  const file = await open(path, "r");
  try {
    const parts: Buffer[] = [];
    for (let length = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(65_536), 0, 65_536, null);
      if (bytesRead === 0) return Buffer.concat(parts).toString("utf8");
      length += bytesRead;
      if (length > MAX_BYTES) return undefined;
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function fromJson(text: string): Candidate {
  try {
    return fromMapping(text, JSON.parse(text));
  } catch (error) {
    // Not the whole message: it quotes what may be a secret.
    const place = error instanceof Error ? /\(line (\d+) column (\d+)\)/.exec(error.message) : null;
    const end = text.split("\n").length;
    return place === null
      ? broken(end, "is not JSON: it ends too early")
      : broken(Number(place[1]), `is not JSON (column ${place[2]})`);
  }
}

function fromYaml(text: string): Candidate {
  try {
    return fromMapping(text, load(text));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return broken((error.mark?.line ?? 0) + 1, `is not YAML: ${error.reason}`);
  }
}

function fromMapping(text: string, value: unknown): Candidate {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return broken(1, "is no mapping of names of options to values");
  const lineOf = (key: string): number => lineMatching(text, (line) => keyOf(line, ":") === key);
  const lines: string[] = [];
  for (const [key, one] of Object.entries(value as Record<string, unknown>)) {
    const written = textOf(one);
    if (written === undefined || /[\r\n]/.test(key + written))
      return broken(lineOf(key), `${key.slice(0, 100)}: write one value, or a list of them`);
    lines.push(`${key}=${/^\s|\s$|^(["']).*\1$/.test(written) ? `"${written}"` : written}\n`);
  }
  return { kind: "text", text: lines.join(""), lineOf };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item) => (Array.isArray(item) ? undefined : textOf(item)));
  // A comma ends an item.
  return items.some((item) => item === undefined || item.includes(",")) ? undefined : items.join(",");
}

function lineMatching(text: string, matches: (line: string) => boolean): number {
  return 1 + text.split(/\r?\n/).findIndex(matches);
}

/** The name at the beginning of a line, quoted or not. */
function keyOf(line: string, separator: "=" | ":"): string | undefined {
  const at = line.indexOf(separator);
  return at < 0
    ? undefined
    : line
        .slice(0, at)
        .replace(/^[\s{,]+/, "")
        .trim()
        .replace(/^(["'])(.*)\1$/, "$2");
}

function broken(line: number, problem: string): Candidate {
  return { kind: "broken", line, problem };
}

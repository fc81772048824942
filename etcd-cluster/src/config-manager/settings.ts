import { parseConfig } from "@ims/runtime";

export type SettingsResult =
  | { readonly kind: "settings"; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: "malformed"; readonly line: number; readonly problem: string };

const MAX_TEXT = 256 * 1024;
const KEY = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

/** Reads the text of a shared_config: key=value lines. A key that stands there twice is refused: which one was meant? */
export function readSettings(text: string): SettingsResult {
  if (text.length > MAX_TEXT) return malformed(1, `longer than ${MAX_TEXT} characters`);
  const file = parseConfig(text);
  if (file.kind === "malformed") return malformed(file.line, file.reason);
  const settings = new Map<string, string>();
  for (const { key, value, line } of file.kind === "read" ? file.entries : []) {
    if (!KEY.test(key)) return malformed(line, `"${key.slice(0, 100)}" is no name of an option`);
    if (settings.has(key)) return malformed(line, `${key} stands there twice`);
    settings.set(key, value);
  }
  return { kind: "settings", settings };
}

/** The text that is read as these settings, in order of their keys. */
export function writeSettings(settings: ReadonlyMap<string, string>): string {
  const lines = [...settings]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${quoted(value)}\n`);
  return lines.join("");
}

function quoted(value: string): string {
  return value !== value.trim() || /^(["']).*\1$/.test(value) ? `"${value}"` : value;
}

function malformed(line: number, problem: string): SettingsResult {
  return { kind: "malformed", line, problem };
}

export interface SettingChange {
  readonly key: string;
  /** Undefined: was not set. */
  readonly before?: string;
  /** Undefined: is not set any more. */
  readonly after?: string;
}

/** In order of their keys. `secret`: their values show as "(secret)". */
export function diffSettings(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  secret: ReadonlySet<string> = new Set(),
): SettingChange[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const show = (name: "before" | "after", value: string | undefined) =>
        value === undefined ? {} : { [name]: secret.has(key) ? "(secret)" : value };
      return { key, ...show("before", before.get(key)), ...show("after", after.get(key)) };
    });
}

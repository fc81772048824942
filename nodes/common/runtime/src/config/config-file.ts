import { readFileSync, statSync } from "node:fs";

export interface ConfigFileEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export type ConfigFileResult =
  | {
      readonly kind: "read";
      readonly entries: readonly ConfigFileEntry[];
      /** Number of the configuration of the site that etcd-cluster has written there. */
      readonly siteNumber?: number;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string }
  | { readonly kind: "unreadable"; readonly reason: string };

const MAX_BYTES = 1_048_576;
const BY_ETCD_CLUSTER = /^# configuration ([0-9]{1,9})\r?\n# Written by etcd-cluster\b/;

/** Reads `key=value` lines: `#` starts a comment line, a value may stand in single or double quotes, the last of two wins. */
export function readConfigFile(path: string): ConfigFileResult {
  let text: string;
  try {
    if (statSync(path).size > MAX_BYTES)
      return { kind: "unreadable", reason: `larger than ${MAX_BYTES} bytes` };
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return { kind: "unreadable", reason: code ?? String(error) };
  }
  if (text.length > MAX_BYTES) return { kind: "unreadable", reason: `larger than ${MAX_BYTES} bytes` };
  return parseConfig(text);
}

export function parseConfig(text: string): ConfigFileResult {
  const entries: ConfigFileEntry[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const key = line.slice(0, equals).trim();
    if (equals <= 0 || /\s/.test(key))
      return { kind: "malformed", line: index + 1, reason: "expected key=value" };
    entries.push({ key, value: unquote(line.slice(equals + 1).trim()), line: index + 1 });
  }
  const site = BY_ETCD_CLUSTER.exec(text)?.[1];
  return { kind: "read", entries, ...(site === undefined ? {} : { siteNumber: Number(site) }) };
}

function unquote(value: string): string {
  const quote = value[0];
  const quoted = (quote === '"' || quote === "'") && value.length >= 2 && value.endsWith(quote);
  return quoted ? value.slice(1, -1) : value;
}

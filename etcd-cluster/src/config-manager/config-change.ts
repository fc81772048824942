import { type ConfigProblem, type ConfigReader, secretsOf } from "./config-check.ts";
import type { ConfigDocument } from "./config-document.ts";
import { diffSettings, readSettings, type SettingChange } from "./settings.ts";

export interface ConfigChange {
  /** Text of a shared_config, the whole of it. */
  readonly text: string;
  readonly author: string;
  readonly comment?: string;
  /** Number of the state that the author has seen; another one in force refuses the change. 0: none was there. */
  readonly on?: number;
}

/** What becomes of a change, wherever the configuration is kept. */
export type ChangeOutcome =
  | {
      readonly kind: "applied";
      readonly document: ConfigDocument;
      readonly changes: readonly SettingChange[];
    }
  | { readonly kind: "unchanged"; readonly document: ConfigDocument }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] }
  /** Somebody else changed it: to this number. */
  | { readonly kind: "contention"; readonly number: number }
  /** No such state is kept. */
  | { readonly kind: "none" };

/** From one text to another; what either of them holds in secret does not show. A text that cannot be read has no settings. */
export function changesBetween(
  before: string,
  after: string,
  nodes: readonly ConfigReader[],
): SettingChange[] {
  return diffSettings(
    settingsOf(before),
    settingsOf(after),
    new Set([...secretsOf(before, nodes), ...secretsOf(after, nodes)]),
  );
}

function settingsOf(text: string): ReadonlyMap<string, string> {
  const result = readSettings(text);
  return result.kind === "settings" ? result.settings : new Map();
}

import type { z } from "zod";
import { contradictions } from "./contradictions.ts";
import { fromText, optionsOf } from "./option.ts";
import { showsSecret } from "./shown-options.ts";

export interface SettingsCheck {
  /** Keys, as they stand in the file, that this node understands. */
  readonly known: readonly string[];
  /** Of those, the ones whose values are shown nowhere. */
  readonly secret: readonly string[];
  /** What the node would refuse, by key. A secret value is not repeated. */
  readonly problems: readonly { readonly key: string; readonly problem: string }[];
}

/**
 * What a node with this schema makes of settings that it shares with others: a key it does not know is not for it, what it
 * needs besides comes from its own machine; only what says something together must stand together.
 */
export function checkSettings(schema: z.ZodObject, settings: ReadonlyMap<string, string>): SettingsCheck {
  const options = optionsOf("node", schema);
  const byKey = new Map(options.flatMap((option) => option.fileKeys.map((key) => [key, option] as const)));
  const input = new Map<string, unknown>();
  const keyOf = new Map<string, string>();
  const known: string[] = [];
  const secret: string[] = [];
  for (const [key, text] of settings) {
    const option = byKey.get(key);
    if (option === undefined) continue;
    known.push(key);
    if (option.secret || showsSecret(option.key, text)) secret.push(key);
    input.set(option.key, fromText(option, text));
    keyOf.set(option.key, key);
  }
  const problems: { key: string; problem: string }[] = [];
  const values = new Map<string, unknown>();
  for (const { key } of options) {
    const parsed = (schema.shape[key] as z.ZodType).safeParse(input.get(key));
    if (parsed.success) values.set(key, parsed.data);
    const inFile = keyOf.get(key);
    if (parsed.success || inFile === undefined) continue;
    for (const { message } of parsed.error.issues) problems.push({ key: inFile, problem: message });
  }
  for (const { key, problem } of contradictions(options, values)) {
    const inFile = keyOf.get(key);
    if (inFile !== undefined) problems.push({ key: inFile, problem });
  }
  return { known, secret, problems };
}

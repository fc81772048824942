import type { z } from "zod";
import { fromText, optionsOf } from "./option.ts";

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
 * needs besides comes from its own machine.
 */
export function checkSettings(schema: z.ZodObject, settings: ReadonlyMap<string, string>): SettingsCheck {
  const byKey = new Map(
    optionsOf("node", schema).flatMap((option) => option.fileKeys.map((key) => [key, option] as const)),
  );
  const input = new Map<string, unknown>();
  const keyOf = new Map<string, string>();
  const known: string[] = [];
  const secret: string[] = [];
  for (const [key, text] of settings) {
    const option = byKey.get(key);
    if (option === undefined) continue;
    known.push(key);
    if (option.secret) secret.push(key);
    input.set(option.key, fromText(option, text));
    keyOf.set(option.key, key);
  }
  const result = schema.safeParse(Object.fromEntries(input));
  const problems = (result.error?.issues ?? []).flatMap(({ path, message }) => {
    const key = keyOf.get(String(path[0] ?? ""));
    return key === undefined ? [] : [{ key, problem: message }];
  });
  return { known, secret, problems };
}

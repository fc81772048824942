import { z } from "zod";
import type { KeyReaders } from "./config-check.ts";
import { readSettings } from "./settings.ts";

/** One state of the configuration that all nodes of a site share. */
export const configDocumentSchema = z.object({
  version: z.literal(1),
  /** Grows by one with each change, also when an old state is taken up again. */
  number: z.int().min(1),
  /** ms since the epoch. */
  at: z.number(),
  author: z.string().max(200),
  comment: z.string().max(2000),
  /** Text of the shared_config. */
  text: z.string().max(256 * 1024),
  /** Which pools read a key: whoever is told only a part is told that. */
  readers: z
    .array(z.object({ key: z.string().max(100), pools: z.array(z.string().max(63)).max(100) }))
    .max(1000),
  /** Pools whose members must restart to work with it. */
  restart: z.array(z.string().max(63)).max(100),
});
export type ConfigDocument = Readonly<z.output<typeof configDocumentSchema>>;

/** A state whose text `nodes` read. */
export function documentOf(
  state: Omit<ConfigDocument, "version" | "readers" | "restart">,
  { readers, changed }: { readonly readers: KeyReaders; readonly changed: readonly string[] },
): ConfigDocument {
  const read = readSettings(state.text);
  const keys = read.kind === "settings" ? [...read.settings.keys()] : [];
  const restart = changed.flatMap((key) => readers(key).flatMap(({ pool, hot }) => (hot ? [] : [pool])));
  return {
    version: 1,
    ...state,
    readers: keys.map((key) => ({ key, pools: readers(key).map(({ pool }) => pool) })),
    restart: [...new Set(restart)].sort(),
  };
}

export function configKeys(root: string): {
  readonly current: string;
  readonly history: string;
  entry(number: number): string;
} {
  const history = `${root}/config/history/`;
  return {
    current: `${root}/config/current`,
    history,
    /** Sorted by number. */
    entry: (number) => history + String(number).padStart(10, "0"),
  };
}

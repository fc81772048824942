import { z } from "zod";

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

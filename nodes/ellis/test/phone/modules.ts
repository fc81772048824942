import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A module of the softphone page, which is no TypeScript, as what the test says it is. */
export async function pageModule<T>(name: string): Promise<T> {
  const file = join(import.meta.dirname, "../../src/pages/phone", name);
  return (await import(pathToFileURL(file).href)) as T;
}

export interface PageMessage {
  readonly method?: string;
  readonly uri?: string;
  readonly status?: number;
  readonly body: string;
  get(name: string): string;
  values(name: string): string[];
  toString(): string;
}

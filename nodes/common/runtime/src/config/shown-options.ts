import type { z } from "zod";
import type { OptionMeta } from "./option.ts";

export interface ShownOption {
  readonly value: unknown;
  /** "default", or the file and line, variable or argument that it came from. */
  readonly source: string;
  /** What the files say meanwhile: in force with the next start. */
  readonly next?: { readonly value: unknown; readonly source: string };
}

const SECRET = "[secret]";
/** A name that ends so holds the thing itself, not where it is. */
const SECRET_NAME = /(?:key|token|password|secret)$/i;

/** The options of a process as they may be shown: secrets, and what is between `//` and `@` of a URL, replaced. */
export function shownOptions(
  schema: z.ZodObject,
  options: Readonly<Record<string, unknown>>,
  sources: ReadonlyMap<string, string>,
): Readonly<Record<string, ShownOption>> {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([key, type]) => {
      const value = options[key];
      const meta = (type as z.ZodType).meta() as OptionMeta | undefined;
      const secret = meta?.secret === true || (typeof value === "string" && isSecret(key, value));
      const shown = secret && value !== "" ? SECRET : withoutUserInfo(value);
      return [key, { value: shown, source: sources.get(key) ?? "default" }];
    }),
  );
}

/** Whether the text of an option has something that nobody is to see. */
export function showsSecret(key: string, text: string): boolean {
  return isSecret(key, text) || withoutUserInfo(text) !== text;
}

/** The path of a key's file is no secret. */
function isSecret(key: string, value: string): boolean {
  return SECRET_NAME.test(key) && !/^\.{0,2}\//.test(value);
}

function withoutUserInfo(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\/\/[^/@\s]*@/g, `//${SECRET}@`);
  return Array.isArray(value) ? value.map(withoutUserInfo) : value;
}

import { parseUri } from "@ims/sip";
import { z } from "zod";
import type { TableResult } from "./followed-file.ts";
import { PrefixTable } from "./prefix-table.ts";
import { bareDigits, canonicalContext, type TelephoneNumber, telUriOf } from "./telephone-number.ts";

const dialled = z.string().regex(/^\+?[0-9A-Fa-f*#().-]*$/, "digits, * and #");

const rule = z.union([
  z.strictObject({
    /** What a number begins with. */
    prefix: dialled,
    /** What stands there instead: the beginning of a global number. */
    replacement: z.string().regex(/^\+[0-9().-]*$/, "begins with +, then digits"),
    /** Digits that the number has as dialled. */
    minimum: z.int().min(1).max(32).default(1),
    maximum: z.int().min(1).max(32).default(32),
  }),
  z.strictObject({
    /** A whole number or service code. */
    number: dialled.min(1),
    uri: z
      .string()
      .refine((text) => /^(?:sips?|tel)$/.test(parseUri(text)?.scheme ?? ""), "a SIP or tel URI"),
  }),
]);

/** File of --dial-plan-file. */
export const dialPlanFile = z.strictObject({
  contexts: z.array(
    z.strictObject({
      /** phone-context: a domain name, the beginning of a global number, or "*" for any. */
      context: z.string().regex(/^(?:\*|\+[0-9().-]+|[A-Za-z0-9.-]+)$/, "a domain name, +digits or *"),
      rules: z.array(rule).min(1),
    }),
  ),
});

interface Context {
  readonly prefixes: PrefixTable<{ replacement: string; minimum: number; maximum: number }>;
  readonly numbers: ReadonlyMap<string, string>;
}

export type Dialled =
  | { readonly kind: "uri"; readonly uri: string }
  /** No rule covers it. */
  | { readonly kind: "unknown" }
  /** A rule covers its beginning and wants more digits. */
  | { readonly kind: "incomplete" };

/** What numbers mean that are not global, by their context: RFC 3966 §5.1.5, RFC 4967. */
export class DialPlan {
  readonly #contexts: ReadonlyMap<string, Context>;

  constructor(contexts: ReadonlyMap<string, Context>) {
    this.#contexts = contexts;
  }

  interpret({ digits, context, parameters }: TelephoneNumber): Dialled {
    // A pause and what follows is dialled after the answer: no part of the number (RFC 4967 §6).
    const number = /^[^PX]*/.exec(digits)?.[0] ?? "";
    const known = this.#contexts.get(context) ?? this.#contexts.get("*");
    if (known === undefined || number === "") return { kind: "unknown" };
    const uri = known.numbers.get(number);
    if (uri !== undefined) return { kind: "uri", uri };
    const found = known.prefixes.find(number);
    if (found === undefined) return { kind: "unknown" };
    const { replacement, minimum, maximum } = found.value;
    if (number.length < minimum) return { kind: "incomplete" };
    const result = replacement + number.slice(found.length);
    if (number.length > maximum || !/^\+[0-9]+$/.test(result)) return { kind: "unknown" };
    return { kind: "uri", uri: telUriOf(result, parameters) };
  }
}

/** Checks what a schema cannot: each context, prefix and number once. */
export function makeDialPlan({ contexts }: z.output<typeof dialPlanFile>): TableResult<DialPlan> {
  const table = new Map<string, Context>();
  for (const [index, { context, rules }] of contexts.entries()) {
    const name = canonicalContext(context);
    const place = `contexts.${index}`;
    if (table.has(name)) return { kind: "bad", problem: `${place}: context ${context} is there already` };
    const prefixes: Context["prefixes"] = new PrefixTable();
    const numbers = new Map<string, string>();
    for (const [at, one] of rules.entries()) {
      const text = bareDigits("prefix" in one ? one.prefix : one.number);
      const fresh =
        "prefix" in one
          ? prefixes.add(text, { ...one, replacement: bareDigits(one.replacement) })
          : !numbers.has(text) && numbers.set(text, one.uri) !== undefined;
      if (!fresh) return { kind: "bad", problem: `${place}.rules.${at}: "${text}" is there already` };
      if ("prefix" in one && one.minimum > one.maximum)
        return { kind: "bad", problem: `${place}.rules.${at}: minimum is more than maximum` };
    }
    table.set(name, { prefixes, numbers });
  }
  return { kind: "table", table: new DialPlan(table) };
}

import type { Substitution } from "@ims/ims";
import { z } from "zod";
import type { EnumRules } from "./enum-rules.ts";
import type { TableResult } from "./followed-file.ts";
import { PrefixTable } from "./prefix-table.ts";
import { bareDigits } from "./telephone-number.ts";

/** File of --enum-file, as Clearwater's enum.json. */
export const enumFile = z.strictObject({
  number_blocks: z.array(
    z.strictObject({
      name: z.string().optional(),
      description: z.string().optional(),
      /** What numbers begin with; the "+" may be left away, "" is every number. */
      prefix: z.string().regex(/^\+?[0-9().-]*$/, "digits"),
      regex: z.string(),
    }),
  ),
});

export type NumberBlocks = PrefixTable<Substitution>;

/** Blocks whose expression cannot be used are left out and named; two of one prefix are a mistake. */
export function makeNumberBlocks(
  { number_blocks }: z.output<typeof enumFile>,
  rules: EnumRules,
): TableResult<NumberBlocks> {
  const table: NumberBlocks = new PrefixTable();
  const seen = new Set<string>();
  const left: string[] = [];
  for (const [index, { prefix, regex }] of number_blocks.entries()) {
    const digits = bareDigits(prefix).replace(/^\+?/, "+");
    const place = `number_blocks.${index}`;
    if (seen.has(digits)) return { kind: "bad", problem: `${place}.prefix: "${prefix}" is there already` };
    seen.add(digits);
    const substitution = rules.compile(regex);
    if (substitution === undefined) left.push(`${place}.regex`);
    else table.add(digits, substitution);
  }
  if (left.length === 0) return { kind: "table", table };
  return { kind: "table", table, problem: `cannot be used: ${left.slice(0, 5).join(", ")} (${left.length})` };
}

import type { Option } from "./option.ts";
import { kebabName, snakeName } from "./option-names.ts";

export interface Contradiction {
  /** The option that cannot be as it is. */
  readonly key: string;
  readonly problem: string;
}

/** Options that say something only together with another one (`needs`), which is not given. `values`: as the schema makes them. */
export function contradictions(
  options: readonly Option[],
  values: ReadonlyMap<string, unknown>,
): Contradiction[] {
  return options.flatMap(({ key, needs }) => {
    if (needs.length === 0 || !says(values.get(key)) || needs.some((other) => says(values.get(other))))
      return [];
    return [{ key, problem: `goes with ${needs.map(nameOf).join(" or ")}, which is not given` }];
  });
}

/** Neither empty nor switched off. */
function says(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== "" && value !== false && value !== 0;
}

function nameOf(key: string): string {
  return `--${kebabName(key)} (${snakeName(key)})`;
}

import { isToken } from "../message/values.ts";

/** A namespace of Resource-Priority: RFC 4412 §3.1, §9. */
export interface PriorityNamespace {
  readonly name: string;
  /** Priority values, the lowest first. */
  readonly priorities: readonly string[];
  /** From this value on requests are never shed for overload; absent: all of them may be. */
  readonly exemptFrom?: string;
}

/** RFC 4412 §10 and §12.6, without those values that stand for ordinary calls among what is exempt; RFC 7135; RFC 8101. */
const STANDARD: readonly PriorityNamespace[] = [
  {
    name: "dsn",
    priorities: ["routine", "priority", "immediate", "flash", "flash-override"],
    exemptFrom: "priority",
  },
  {
    name: "drsn",
    priorities: ["routine", "priority", "immediate", "flash", "flash-override", "flash-override-override"],
    exemptFrom: "priority",
  },
  { name: "q735", priorities: ["4", "3", "2", "1", "0"], exemptFrom: "3" },
  { name: "ets", priorities: ["4", "3", "2", "1", "0"], exemptFrom: "4" },
  { name: "wps", priorities: ["4", "3", "2", "1", "0"], exemptFrom: "4" },
  { name: "esnet", priorities: ["0", "1", "2", "3", "4"], exemptFrom: "0" },
  { name: "mcpttp", priorities: Array.from({ length: 16 }, (_, value) => String(value)) },
  { name: "mcpttq", priorities: Array.from({ length: 16 }, (_, value) => String(value)) },
];

const MAX_NAMESPACES = 1_000;
const MAX_PRIORITIES = 100;

interface Place {
  readonly namespace: string;
  /** 0: the lowest. */
  readonly rank: number;
  readonly exempt: boolean;
}

export type PrioritiesResult =
  | { readonly kind: "priorities"; readonly priorities: ResourcePriorities }
  /** `problem`: where, and what is wanted there. */
  | { readonly kind: "bad"; readonly problem: string };

/** Namespaces and the order of their priorities, as this network honours them. Case does not count (RFC 4412 §3.1). */
export class ResourcePriorities {
  readonly #places = new Map<string, Place>();

  constructor(namespaces: readonly PriorityNamespace[] = STANDARD) {
    for (const { name, priorities, exemptFrom } of namespaces) {
      const from = exemptFrom === undefined ? Number.POSITIVE_INFINITY : priorities.indexOf(exemptFrom);
      for (const [rank, value] of priorities.entries())
        this.#places.set(`${name}.${value}`.toLowerCase(), { namespace: name, rank, exempt: rank >= from });
    }
  }

  /** Is any of the values of a header field one that overload does not touch? Values nobody knows count for nothing (RFC 4412 §4.6.2). */
  isExempt(header: string): boolean {
    return header.split(",").some((value) => this.#places.get(value.trim().toLowerCase())?.exempt === true);
  }

  /** The values that somebody may use to whom those have been granted: of the same namespace, and no higher. */
  permitted(values: readonly string[], granted: readonly string[]): readonly string[] {
    return values.filter((value) => {
      const place = this.#places.get(value.toLowerCase());
      return granted.some((one) => {
        const most = this.#places.get(one.toLowerCase());
        if (place === undefined || most === undefined) return one.toLowerCase() === value.toLowerCase();
        return most.namespace === place.namespace && place.rank <= most.rank;
      });
    });
  }
}

/** Reads the table of an operator: `{"namespaces": [{"name", "priorities", "exemptFrom"}]}`. */
export function parseResourcePriorities(text: string): PrioritiesResult {
  const bad = (problem: string): PrioritiesResult => ({ kind: "bad", problem });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return bad("is not JSON");
  }
  const listed = fieldOf(content, "namespaces");
  if (!Array.isArray(listed) || listed.length > MAX_NAMESPACES)
    return bad(`namespaces: a list of at most ${MAX_NAMESPACES} is wanted`);
  const namespaces: PriorityNamespace[] = [];
  for (const [index, entry] of listed.entries()) {
    const where = `namespaces.${index}`;
    const name = fieldOf(entry, "name");
    const priorities = fieldOf(entry, "priorities");
    const exemptFrom = fieldOf(entry, "exemptFrom");
    if (!isName(name)) return bad(`${where}.name: a token without a dot is wanted`);
    if (namespaces.some((one) => one.name === name.toLowerCase()))
      return bad(`${where}.name: it is there twice`);
    if (!Array.isArray(priorities) || priorities.length > MAX_PRIORITIES || !priorities.every(isName))
      return bad(`${where}.priorities: tokens without dots are wanted, the lowest first`);
    if (new Set(priorities.map((one) => one.toLowerCase())).size < priorities.length)
      return bad(`${where}.priorities: a value is there twice`);
    if (exemptFrom !== undefined && !priorities.some((one) => one === exemptFrom))
      return bad(`${where}.exemptFrom: one of the priorities is wanted`);
    const from = isName(exemptFrom) ? { exemptFrom } : {};
    namespaces.push({ name: name.toLowerCase(), priorities, ...from });
  }
  return { kind: "priorities", priorities: new ResourcePriorities(namespaces) };
}

function fieldOf(value: unknown, name: "namespaces" | "name" | "priorities" | "exemptFrom"): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** RFC 4412 §3.1: namespace and r-priority are tokens without dots. */
function isName(value: unknown): value is string {
  return typeof value === "string" && isToken(value) && !value.includes(".");
}

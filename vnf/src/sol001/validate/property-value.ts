import { child, entries, type HotNode, items, textOf } from "../../checks/hot/hot-node.ts";
import type { TypeCatalogue } from "./type-catalogue.ts";

/** What is wrong with a value, where it stands. */
export interface ValueFault {
  readonly line: number;
  readonly at: string;
  readonly problem: string;
  readonly remedy: string;
}

const SCALARS: ReadonlyMap<string, { pattern: RegExp; form: string }> = new Map([
  ["integer", { pattern: /^[-+]?\d+$/, form: "an integer" }],
  ["float", { pattern: /^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i, form: "a number" }],
  ["boolean", { pattern: /^(?:true|false)$/, form: "true or false" }],
  [
    "scalar-unit.size",
    { pattern: /^\d+(?:\.\d+)?\s*(?:B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)$/, form: "a size such as 4 GiB" },
  ],
  ["scalar-unit.time", { pattern: /^\d+(?:\.\d+)?\s*(?:d|h|m|s|ms|us|ns)$/, form: "a time such as 60 s" }],
  [
    "scalar-unit.frequency",
    { pattern: /^\d+(?:\.\d+)?\s*(?:Hz|kHz|MHz|GHz)$/, form: "a frequency such as 2 GHz" },
  ],
]);
const FUNCTIONS = new Set(["get_input", "get_property", "get_attribute", "concat", "token"]);

/** Checks a map of properties against the definitions of a type: names, required ones, types, constraints. */
export function checkProperties(
  types: TypeCatalogue,
  definitions: ReadonlyMap<string, HotNode>,
  values: HotNode | undefined,
  line: number,
  at: string,
): ValueFault[] {
  const faults: ValueFault[] = [];
  const given = new Set<string>();
  for (const { key, line: keyLine, value } of entries(values)) {
    given.add(key);
    const definition = definitions.get(key);
    if (definition === undefined)
      faults.push({
        line: keyLine,
        at: `${at}.${key}`,
        problem: "the type has no such property",
        remedy: `its properties are ${[...definitions.keys()].sort().join(", ") || "none"}`,
      });
    else faults.push(...checkValue(types, definition, value, `${at}.${key}`));
  }
  for (const [name, definition] of definitions) {
    const required = textOf(child(definition, "required")) !== "false";
    if (required && child(definition, "default") === undefined && !given.has(name))
      faults.push({
        line,
        at,
        problem: `the property ${name} is missing`,
        remedy: `give it: it is required`,
      });
  }
  return faults;
}

export function checkValue(
  types: TypeCatalogue,
  definition: HotNode,
  value: HotNode,
  at: string,
): ValueFault[] {
  const [only, ...others] = entries(value);
  if (only !== undefined && others.length === 0 && FUNCTIONS.has(only.key)) return [];
  const type = textOf(child(definition, "type")) ?? "string";
  const wrong = (problem: string, remedy: string): ValueFault[] => [
    { line: value.line, at, problem, remedy },
  ];
  const schema = child(definition, "entry_schema");
  if (type === "list") {
    if (value.kind !== "list") return wrong("is no list", "write a list");
    const inside =
      schema === undefined
        ? []
        : value.items.flatMap((item, n) => checkValue(types, schema, item, `${at}[${n}]`));
    return [...inside, ...checkLength(definition, value.items.length, wrong)];
  }
  if (type === "map") {
    if (value.kind !== "map") return wrong("is no map", "write a map");
    const inside =
      schema === undefined
        ? []
        : value.entries.flatMap((entry) => checkValue(types, schema, entry.value, `${at}.${entry.key}`));
    return [...inside, ...checkLength(definition, value.entries.length, wrong)];
  }
  if (types.ancestry("data_types", type).length > 0) {
    if (value.kind !== "map") return wrong(`is no ${type}`, "write a map of its properties");
    return checkProperties(types, types.properties("data_types", type), value, value.line, at);
  }
  const text = textOf(value);
  if (text === undefined) return wrong(`is no ${type}`, "write one value");
  const scalar = SCALARS.get(type);
  if (scalar !== undefined && !scalar.pattern.test(text))
    return wrong(`"${text}" is not ${scalar.form}`, `write ${scalar.form}`);
  return items(child(definition, "constraints")).flatMap((constraint) => violated(constraint, text, wrong));
}

type Wrong = (problem: string, remedy: string) => ValueFault[];

function violated(constraint: HotNode, text: string, wrong: Wrong): ValueFault[] {
  return entries(constraint).flatMap(({ key, value: rule }) => {
    const bound = Number(textOf(rule)?.split(/\s/)[0]);
    const number = Number(text.split(/\s/)[0]);
    const allowed = items(rule).map((item) => textOf(item) ?? "");
    if (key === "valid_values" && !allowed.includes(text))
      return wrong(`"${text}" is not allowed`, `choose one of ${allowed.join(", ")}`);
    if (key === "greater_than" && !(number > bound))
      return wrong(`${text} is too small`, `more than ${bound} is needed`);
    if (key === "greater_or_equal" && !(number >= bound))
      return wrong(`${text} is too small`, `${bound} is the least`);
    if (key === "less_or_equal" && !(number <= bound))
      return wrong(`${text} is too great`, `${bound} is the most`);
    if (key === "pattern" && !matches(textOf(rule) ?? "", text))
      return wrong(`"${text}" has not the form asked for`, `it has to match ${textOf(rule)}`);
    return [];
  });
}

/** Patterns of this length and values of this length cannot hold anything up. */
function matches(pattern: string, text: string): boolean {
  if (pattern.length > 200 || text.length > 200) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

function checkLength(definition: HotNode, length: number, wrong: Wrong): ValueFault[] {
  return items(child(definition, "constraints")).flatMap((constraint) => {
    const least = Number(textOf(child(constraint, "min_length")) ?? 0);
    return length < least ? wrong(`has ${length} entries`, `${least} at least are needed`) : [];
  });
}

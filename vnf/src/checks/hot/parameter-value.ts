import { child, entries, type HotNode, items, textOf } from "./hot-node.ts";

export const PARAMETER_TYPES: ReadonlySet<string> = new Set([
  "string",
  "number",
  "comma_delimited_list",
  "json",
  "boolean",
]);

const BOOLEAN = /^(?:t|true|on|y|yes|1|f|false|off|n|no|0)$/i;
const NUMBER = /^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?$/i;
const CIDR =
  /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}\/(?:[12]?[0-9]|3[0-2])|[0-9a-fA-F:]*:[0-9a-fA-F:.]*\/(?:[0-9]{1,2}|1[01][0-9]|12[0-8]))$/;
const ADDRESS = /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/;

/** What is wrong with a literal as the value of a parameter: its type, then its constraints. Undefined: nothing. */
export function wrongValue(parameter: HotNode, value: HotNode): string | undefined {
  const type = textOf(child(parameter, "type")) ?? "string";
  const text = textOf(value);
  if (type === "number" && (text === undefined || !NUMBER.test(text))) return `${shown(value)} is no number`;
  if (type === "boolean" && (text === undefined || !BOOLEAN.test(text)))
    return `${shown(value)} is no boolean`;
  if (type === "string" && text === undefined) return `${shown(value)} is no string`;
  if (type === "comma_delimited_list" && value.kind === "map") return "a map is no list";
  if (type === "json" && value.kind === "scalar" && value.text.trim() !== "" && !isJson(value.text))
    return `${shown(value)} is no JSON`;
  for (const constraint of items(child(parameter, "constraints"))) {
    const problem = violated(constraint, value, type);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function violated(constraint: HotNode, value: HotNode, type: string): string | undefined {
  const values = type === "comma_delimited_list" ? listOf(value) : [textOf(value) ?? ""];
  for (const { key, value: rule } of entries(constraint)) {
    const allowed = items(rule).map(textOf);
    if (key === "allowed_values")
      for (const one of values)
        if (!allowed.includes(one)) return `${JSON.stringify(one)} is none of ${allowed.join(", ")}`;
    if (key === "allowed_pattern")
      for (const one of values)
        if (!new RegExp(`^(?:${textOf(rule) ?? ""})$`).test(one))
          return `${JSON.stringify(one)} does not match ${textOf(rule)}`;
    if (key === "range" || key === "length") {
      const size =
        key === "range"
          ? Number(textOf(value))
          : type === "string"
            ? (textOf(value) ?? "").length
            : values.length;
      const low = Number(textOf(child(rule, "min")) ?? Number.NEGATIVE_INFINITY);
      const high = Number(textOf(child(rule, "max")) ?? Number.POSITIVE_INFINITY);
      if (size < low || size > high)
        return `${key === "range" ? shown(value) : `length ${size}`} is not in ${low} to ${high}`;
    }
    if (key === "custom_constraint" && textOf(rule) === "net_cidr" && !CIDR.test(textOf(value) ?? ""))
      return `${shown(value)} is no network in CIDR notation`;
    if (key === "custom_constraint" && textOf(rule) === "ip_addr" && !ADDRESS.test(textOf(value) ?? ""))
      return `${shown(value)} is no address`;
  }
  return undefined;
}

/** The items of a comma_delimited_list, however it is written. */
export function listOf(value: HotNode): string[] {
  if (value.kind === "list") return value.items.map((item) => textOf(item) ?? "");
  const text = textOf(value) ?? "";
  return text === "" ? [] : text.split(",");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function shown(value: HotNode): string {
  return value.kind === "scalar" ? JSON.stringify(value.text) : `a ${value.kind}`;
}

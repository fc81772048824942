/** Values of Cassandra as JSON, by the type of their column. */

type Json = string | number | boolean | null | readonly Json[];

const TEXTS = new Set(["text", "ascii", "varchar", "uuid", "timeuuid", "inet", "date", "time", "decimal"]);
const NUMBERS = new Set(["int", "smallint", "tinyint", "float", "double"]);
const LARGE = new Set(["bigint", "varint"]);

/** The types of which values can be written and read again. */
export function isKnownType(type: string): boolean {
  const element = elementOf(type);
  if (element !== undefined) return isKnownType(element);
  return (
    TEXTS.has(type) || NUMBERS.has(type) || LARGE.has(type) || ["blob", "boolean", "timestamp"].includes(type)
  );
}

/** A collection whose elements are cells of their own: they have no single time and lifetime. */
export function isMultiCell(type: string): boolean {
  return /^(?:list|set|map)</.test(type);
}

export function toJson(value: unknown, type: string): Json {
  if (value === null || value === undefined) return null;
  const element = elementOf(type);
  if (element !== undefined) return [...(value as Iterable<unknown>)].map((each) => toJson(each, element));
  if (type === "blob") return Buffer.from(value as Uint8Array).toString("base64");
  if (type === "timestamp") return (value as Date).getTime();
  if (NUMBERS.has(type)) return value as number;
  return type === "boolean" ? (value as boolean) : String(value);
}

/** What the driver takes. */
export function fromJson(json: Json, type: string): unknown {
  if (json === null) return null;
  const element = elementOf(type);
  if (element !== undefined) return (json as readonly Json[]).map((each) => fromJson(each, element));
  if (type === "blob") return Buffer.from(String(json), "base64");
  if (type === "timestamp") return new Date(Number(json));
  return LARGE.has(type) ? BigInt(String(json)) : json;
}

/** Of a list or set, frozen or not. */
function elementOf(type: string): string | undefined {
  const bare = /^frozen<(.+)>$/.exec(type)?.[1] ?? type;
  return /^(?:list|set)<(.+)>$/.exec(bare)?.[1];
}

import type { Parameters } from "../message/parameters.ts";

/** Feature tags that are written without a "+": RFC 3840 §9, base-tags. */
const BASE_TAGS: ReadonlySet<string> = new Set([
  "actor",
  "application",
  "audio",
  "automata",
  "class",
  "control",
  "data",
  "description",
  "duplex",
  "events",
  "extensions",
  "isfocus",
  "language",
  "methods",
  "mobility",
  "priority",
  "schemes",
  "text",
  "type",
  "video",
]);

/** More values of one tag than anybody has: two lists are compared each with each. */
const MAX_VALUES = 16;
/** More tags than any phone lists: each is compared with those of every contact. */
const MAX_TAGS = 32;

/** One value of a feature tag; of a number the range that it stands for. */
interface FeatureValue {
  readonly negated: boolean;
  /** Tokens (in lower case) and booleans begin with "t", strings with "s"; "" for numbers. */
  readonly text: string;
  readonly low: number;
  readonly high: number;
}

/** What a UA can do, or is wanted to: feature tags by name in lower case with their values (RFC 3840 §5). */
export type FeatureSet = ReadonlyMap<string, readonly FeatureValue[]>;

const TRUE: FeatureValue = { negated: false, text: "ttrue", low: 0, high: 0 };
const FLAG: readonly FeatureValue[] = [TRUE];

/** Feature parameters of a Contact, an Accept-Contact or a Reject-Contact; other parameters are none. */
export function featureSetOf(parameters: Parameters): FeatureSet {
  const features = new Map<string, readonly FeatureValue[]>();
  for (const name of parameters.names) {
    if (features.size >= MAX_TAGS) break;
    if ((name.startsWith("+") || BASE_TAGS.has(name)) && !features.has(name))
      features.set(name, valuesOf(parameters.get(name) ?? ""));
  }
  return features;
}

/** A feature set made from words: tag and tokens. */
export function featuresNamed(named: Readonly<Record<string, string>>): FeatureSet {
  return new Map(Object.entries(named).map(([name, token]) => [name, [featureValueOf(token)]]));
}

function valuesOf(text: string): readonly FeatureValue[] {
  if (text === "") return FLAG;
  // A string may hold commas, and stands alone.
  if (/^!?</.test(text)) return [featureValueOf(text)];
  return text
    .split(",", MAX_VALUES)
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map(featureValueOf);
}

function featureValueOf(written: string): FeatureValue {
  const negated = written.startsWith("!");
  const text = negated ? written.slice(1) : written;
  if (text.startsWith("#")) {
    const [low, high] = rangeOf(text.slice(1));
    return { negated, text: "", low, high };
  }
  if (text.startsWith("<")) return { negated, text: `s${text.replace(/^<|>$/g, "")}`, low: 0, high: 0 };
  return { negated, text: `t${text.toLowerCase()}`, low: 0, high: 0 };
}

/** RFC 3840 §9, numeric: "=5", ">=5", "<=5", "5:7"; what is none stands for no number. */
function rangeOf(text: string): readonly [low: number, high: number] {
  const [, relation, low, high] =
    /^(>=|<=|=)?([-+]?[0-9]{1,15}(?:\.[0-9]{1,9})?)(?::([-+]?[0-9]{1,15}(?:\.[0-9]{1,9})?))?$/.exec(text) ??
    [];
  if (low === undefined) return [1, 0];
  const number = Number(low);
  if (high !== undefined) return [number, Number(high)];
  if (relation === ">=") return [number, Number.POSITIVE_INFINITY];
  if (relation === "<=") return [Number.NEGATIVE_INFINITY, number];
  return [number, number];
}

/** Is there a value that both allow (RFC 2533 §4)? Several values are alternatives, negated ones exclude. */
export function valuesAgree(some: readonly FeatureValue[], others: readonly FeatureValue[]): boolean {
  const excluded = [...some, ...others].filter(({ negated }) => negated);
  const isLeft = (value: FeatureValue): boolean => !excluded.some((one) => covers(one, value));
  const wanted = some.filter(({ negated }) => !negated);
  const had = others.filter(({ negated }) => !negated);
  if (wanted.length === 0 || had.length === 0) {
    const left = wanted.length === 0 ? had : wanted;
    return left.length === 0 || left.some(isLeft);
  }
  for (const one of wanted)
    for (const other of had) {
      const common = commonOf(one, other);
      if (common !== undefined && isLeft(common)) return true;
    }
  return false;
}

function commonOf(one: FeatureValue, other: FeatureValue): FeatureValue | undefined {
  if (one.text !== other.text) return undefined;
  if (one.text !== "") return one;
  const low = Math.max(one.low, other.low);
  const high = Math.min(one.high, other.high);
  return low <= high ? { negated: false, text: "", low, high } : undefined;
}

function covers(range: FeatureValue, value: FeatureValue): boolean {
  if (range.text !== value.text) return false;
  return range.text !== "" || (range.low <= value.low && value.high <= range.high);
}

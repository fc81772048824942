import { capture, MAX_GROUPS } from "./capture.ts";
import type { Effort } from "./extended.ts";
import { parseExpression } from "./parse.ts";
import { assemble } from "./program.ts";

/** A substitution expression of the DDDS: RFC 3402 §3.2. */
export interface Substitution {
  /** The text with the leftmost match replaced, as sed does; undefined where nothing matches or the effort is spent. */
  apply(text: string, effort?: Effort): string | undefined;
}

export type SubstitutionResult =
  | { readonly kind: "substitution"; readonly substitution: Substitution }
  | { readonly kind: "malformed"; readonly reason: string };

const MAX_LENGTH = 1024;
/** Some 5 ms. */
const EFFORT = 500_000;

/** Compiles `!expression!replacement!flags` to what runs in linear time. `\1` to `\9` are groups; flag `i` ignores case. */
export function compileSubstitution(source: string): SubstitutionResult {
  const malformed = (reason: string): SubstitutionResult => ({ kind: "malformed", reason });
  if (source.length > MAX_LENGTH) return malformed(`longer than ${MAX_LENGTH} characters`);
  const delimiter = source[0] ?? "";
  if (delimiter === "" || /[0-9i\\]/.test(delimiter))
    return malformed("begins with no delimiter; write !expression!replacement!");
  const parts = split(source, delimiter);
  const [expression = "", replacement = "", flags = "", ...more] = parts;
  if (parts.length < 3 || more.length > 0) return malformed(`does not have exactly three "${delimiter}"`);
  if (!/^i?$/.test(flags)) return malformed(`unknown flags "${flags}"`);
  const tree = parseExpression(expression);
  if (tree === undefined) return malformed(`malformed expression ${expression}`);
  const program = assemble(tree, MAX_GROUPS)?.map((step) =>
    flags === "i" && step.op === 0 ? { ...step, has: eitherCase(step.has) } : step,
  );
  if (program === undefined) return malformed(`too large an expression ${expression}`);
  const groups = program.reduce((most, step) => (step.op === 6 ? Math.max(most, step.slot >> 1) : most), 0);
  const pieces = readReplacement(replacement);
  if (pieces.some((piece) => typeof piece === "number" && piece > groups))
    return malformed("the replacement names a group that the expression does not have");
  return {
    kind: "substitution",
    substitution: {
      apply: (text, effort = { steps: EFFORT }) => {
        const slots = capture(program, text, effort);
        if (slots === undefined) return undefined;
        const part = (from: number, to: number): string => (from < 0 ? "" : text.slice(from, to));
        const middle = pieces.map((piece) =>
          typeof piece === "string" ? piece : part(slots[2 * piece] ?? -1, slots[2 * piece + 1] ?? -1),
        );
        return text.slice(0, slots[0]) + middle.join("") + text.slice(slots[1]);
      },
    },
  };
}

/** What stands between the delimiters; an escaped delimiter is itself. */
function split(source: string, delimiter: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 1; at < source.length; at++) {
    const c = source[at] ?? "";
    if (c === "\\") part += c + (source[++at] ?? "");
    else if (c === delimiter) {
      parts.push(part);
      part = "";
    } else part += c;
  }
  parts.push(part);
  return parts;
}

/** Text and numbers of groups. */
function readReplacement(text: string): (string | number)[] {
  const pieces: (string | number)[] = [];
  let literal = "";
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? "";
    if (c !== "\\") {
      literal += c;
      continue;
    }
    const escaped = text[++at] ?? "";
    if (!/[1-9]/.test(escaped)) {
      literal += escaped;
      continue;
    }
    pieces.push(literal, Number(escaped));
    literal = "";
  }
  return [...pieces, literal];
}

function eitherCase(has: (code: number) => boolean): (code: number) => boolean {
  return (code) => {
    const c = String.fromCharCode(code);
    return has(c.toLowerCase().charCodeAt(0)) || has(c.toUpperCase().charCodeAt(0));
  };
}

import { compileSubstitution, type Effort, type Substitution } from "@ims/ims";
import type { NaptrRecord } from "@ims/runtime";
import { parseUri } from "@ims/sip";

/** A NAPTR record as ENUM uses it: RFC 6116 §3.4. */
export type EnumRule =
  | { readonly kind: "uri"; readonly substitution: Substitution }
  /** Another name is to be asked (RFC 6116 §3.4.2.1, no flags). */
  | { readonly kind: "name"; readonly name: string };

/** More than any number has. */
const MAX_RULES = 64;
const MAX_COMPILED = 1_000;

/** Makes rules of records. Expressions stay compiled, because the same ones serve whole blocks of numbers. */
export class EnumRules {
  readonly #compiled = new Map<string, Substitution | undefined>();
  readonly #toldOf = new WeakSet<Substitution>();
  readonly #onBad: (regexp: string, reason: string) => void;

  /** `onBad` is told once of each expression. */
  constructor(onBad: (regexp: string, reason: string) => void) {
    this.#onBad = onBad;
  }

  /** By order and preference, without what is for other services or cannot be used (RFC 6116 §3.4.1). */
  of(records: readonly NaptrRecord[]): readonly EnumRule[] {
    return records
      .filter(({ flags, services }) => flags === "" || (flags.toLowerCase() === "u" && leadsToCall(services)))
      .sort((a, b) => a.order - b.order || a.preference - b.preference)
      .slice(0, MAX_RULES)
      .map((record) => this.#ruleOf(record))
      .filter((rule) => rule !== undefined);
  }

  /** Undefined for one that cannot be used. */
  compile(regexp: string): Substitution | undefined {
    const known = this.#compiled.get(regexp);
    if (known !== undefined || this.#compiled.has(regexp)) return known;
    const result = compileSubstitution(regexp);
    if (result.kind === "malformed") this.#onBad(regexp, result.reason);
    const substitution = result.kind === "substitution" ? result.substitution : undefined;
    // Oldest first: Map keeps the order of insertion.
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size < MAX_COMPILED) break;
      this.#compiled.delete(oldest);
    }
    this.#compiled.set(regexp, substitution);
    return substitution;
  }

  /** The URI of a number, when it is one that can be called. */
  uriOf(substitution: Substitution, number: string, effort: Effort): string | undefined {
    const text = substitution.apply(number, effort);
    if (text === undefined) return undefined;
    const uri = text.length <= 512 ? parseUri(text) : undefined;
    // RFC 3261 §19.1.1: a Request-URI has no header fields.
    if (uri !== undefined && /^(?:sips?|tel)$/.test(uri.scheme) && uri.headers === "" && !text.includes(" "))
      return text;
    if (!this.#toldOf.has(substitution)) this.#onBad(text.slice(0, 100), "the result is no SIP or tel URI");
    this.#toldOf.add(substitution);
    return undefined;
  }

  #ruleOf({ flags, regexp, replacement }: NaptrRecord): EnumRule | undefined {
    if (flags !== "") {
      const substitution = this.compile(regexp);
      return substitution && { kind: "uri", substitution };
    }
    const name = replacement.toLowerCase().replace(/\.$/, "");
    return regexp === "" && name !== "" ? { kind: "name", name } : undefined;
  }
}

/** E2U with sip, or pstn or voice with sip or tel (RFC 3764, RFC 4769, RFC 4415). */
function leadsToCall(services: string): boolean {
  const [protocol, ...kinds] = services.toLowerCase().split("+");
  return (
    protocol === "e2u" && kinds.some((kind) => /^(?:sip|(?:pstn|voice):(?:sip|tel)|voice|pstn)$/.test(kind))
  );
}

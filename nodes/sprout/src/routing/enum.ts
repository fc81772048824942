import type { Effort } from "@ims/ims";
import type { Clock, DnsResolver } from "@ims/runtime";
import type { NumberBlocks } from "./enum-file.ts";
import type { EnumRules } from "./enum-rules.ts";

/** How a global number is reached. */
export type EnumOutcome =
  | { readonly kind: "uri"; readonly uri: string }
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly reason: string };

export interface EnumModules {
  readonly rules: EnumRules;
  readonly clock: Clock;
  /** Blocks of the operator, asked before the DNS. */
  readonly blocks?: { readonly table: NumberBlocks } | undefined;
  readonly dns?:
    | {
        readonly resolver: Pick<DnsResolver, "naptr">;
        /** Below which numbers are: "e164.arpa". */
        readonly domain: string;
        readonly timeoutMs: number;
      }
    | undefined;
}

/** Names asked for one number: RFC 6116 §3.4.2.1 wants a bound for those that lead in circles. */
const MAX_NAMES = 5;
/** For all expressions of one number, some 5 ms. */
const EFFORT = 500_000;

/** Translation of numbers to URIs: RFC 6116, TS 24.229 §5.4.3.2. */
export class Enum {
  readonly #modules: EnumModules;

  constructor(modules: EnumModules) {
    this.#modules = modules;
  }

  /** `number`: "+" and digits. Never rejects. */
  async find(number: string): Promise<EnumOutcome> {
    const { blocks, dns, rules, clock } = this.#modules;
    const effort = { steps: EFFORT };
    const block = blocks?.table.find(number)?.value;
    const uri = block && rules.uriOf(block, number, effort);
    if (uri !== undefined) return { kind: "uri", uri };
    if (dns === undefined) return { kind: "none" };
    const { timeoutMs } = dns;
    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, () =>
        resolve({ kind: "failed", reason: `no answer within ${timeoutMs} ms` }),
      );
      const end = (outcome: EnumOutcome): void => {
        timer.cancel();
        resolve(outcome);
      };
      this.#ask(enumName(number, dns.domain), { number, effort, asked: new Set() }).then(end, (error) =>
        end({ kind: "failed", reason: String(error) }),
      );
    });
  }

  async #ask(
    name: string,
    search: { readonly number: string; readonly effort: Effort; readonly asked: Set<string> },
  ): Promise<EnumOutcome> {
    const { dns, rules } = this.#modules;
    const { number, effort, asked } = search;
    if (dns === undefined || asked.size >= MAX_NAMES || asked.has(name)) return { kind: "none" };
    asked.add(name);
    const answer = await dns.resolver.naptr(name);
    if (answer.kind === "notFound") return { kind: "none" };
    if (answer.kind === "failed") return answer;
    for (const rule of rules.of(answer.records)) {
      if (rule.kind === "uri") {
        const uri = rules.uriOf(rule.substitution, number, effort);
        if (uri !== undefined) return { kind: "uri", uri };
      } else {
        const outcome = await this.#ask(rule.name, search);
        if (outcome.kind !== "none") return outcome;
      }
    }
    return { kind: "none" };
  }
}

/** RFC 6116 §3.2: the digits in reverse order, a label each. */
export function enumName(number: string, domain: string): string {
  return `${[...number.slice(1)].reverse().join(".")}.${domain}`;
}

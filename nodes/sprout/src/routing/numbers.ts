import { parseUri, type Uri } from "@ims/sip";
import type { DialPlan } from "./dial-plan.ts";
import type { Enum, EnumOutcome } from "./enum.ts";
import { numberPortability } from "./number-portability.ts";
import { type NumberingOptions, readTelephoneNumber, telUriOf } from "./telephone-number.ts";

export interface NumbersModules {
  readonly options: NumberingOptions & {
    /** ENUM also for numbers whose portability database has been asked (RFC 4694 npdi). */
    readonly overrideNpdi: boolean;
    /** A SIP URI that is a global number becomes its tel URI before application servers see it. */
    readonly sipToTel: boolean;
  };
  readonly dialPlan?: { readonly table: DialPlan } | undefined;
  readonly enum?: Enum | undefined;
  readonly counters: NumberCounters;
}

export interface NumberCounters {
  /** "dipped": not asked, because of npdi. */
  enum(outcome: EnumOutcome["kind"] | "dipped"): void;
  dialled(outcome: "translated" | "unknown" | "incomplete"): void;
}

/** What a Request-URI becomes before it is routed. */
export type Routed =
  /** To be routed as it stands. */
  | { readonly kind: "as is" }
  /** Instead of it. */
  | { readonly kind: "uri"; readonly uri: string; readonly breakout: boolean }
  /** It is a number, and no other network or user is known for it: to the BGCF where there is one. */
  | { readonly kind: "breakout" };

/** Telephone numbers on their way out of the S-CSCF: TS 24.229 §5.4.3.2 step 10. */
export class Numbers {
  readonly #modules: NumbersModules;

  constructor(modules: NumbersModules) {
    this.#modules = modules;
  }

  /**
   * The URI that application servers see instead: what a local number or dial string stands for by the operator's dial plan, and
   * the tel URI of a global number where that is wanted; "incomplete": more digits are; undefined: the URI as it is.
   */
  interpret(uri: Uri): string | "incomplete" | undefined {
    const { dialPlan, options, counters } = this.#modules;
    if (dialPlan === undefined && !options.sipToTel) return undefined;
    const number = readTelephoneNumber(uri, options);
    if (number?.kind === "global" && options.sipToTel && uri.scheme !== "tel")
      return telUriOf(number.digits, number.parameters);
    if (number?.kind !== "local" || dialPlan === undefined) return undefined;
    const dialled = dialPlan.table.interpret(number);
    counters.dialled(dialled.kind === "uri" ? "translated" : dialled.kind);
    return dialled.kind === "uri" ? dialled.uri : dialled.kind === "incomplete" ? "incomplete" : undefined;
  }

  /** Never rejects. */
  route(uri: Uri): Routed | Promise<Routed> {
    const { options, counters } = this.#modules;
    const number = readTelephoneNumber(uri, options);
    if (number?.kind !== "global") return { kind: "as is" };
    // RFC 4694 §5: who has been asked says where the number is now.
    if (numberPortability(number.parameters).dipped && !options.overrideNpdi) {
      counters.enum("dipped");
      return { kind: "breakout" };
    }
    if (this.#modules.enum === undefined) return { kind: "as is" };
    return this.#translate(this.#modules.enum, number.digits);
  }

  async #translate(translation: Enum, digits: string): Promise<Routed> {
    const { options, counters } = this.#modules;
    const outcome = await translation.find(digits);
    counters.enum(outcome.kind);
    if (outcome.kind !== "uri") return { kind: "breakout" };
    const found = parseUri(outcome.uri);
    const number = found && readTelephoneNumber(found, options);
    // A number again: where it is has been found out, not who it is (RFC 4769).
    const ported = number !== undefined && numberPortability(number.parameters).dipped;
    if (number === undefined || !(ported || found?.scheme === "tel"))
      return { kind: "uri", uri: outcome.uri, breakout: false };
    return { kind: "uri", uri: telUriOf(number.digits, number.parameters), breakout: true };
  }
}

import type { Members, ValuesOf } from "./avp.ts";
import { Plan } from "./plan.ts";

/** A request or answer of the dictionary (RFC 6733 §3.2), ready for the codec. */
export interface Command<M extends Members = Members> {
  /** The short name: "UAR". Log field and metric label. */
  readonly name: string;
  readonly code: number;
  readonly applicationId: number;
  readonly request: boolean;
  readonly proxiable: boolean;
  readonly avps: M;
  readonly plan: Plan;
}

/** The flat, typed AVPs of a command. */
export type AvpsOf<C> = C extends Command<infer M> ? ValuesOf<M> : never;

export function command<const M extends Members>(definition: {
  readonly name: string;
  readonly code: number;
  readonly applicationId: number;
  readonly request: boolean;
  /** PXY. Default true. */
  readonly proxiable?: boolean;
  readonly avps: M;
}): Command<M> {
  return {
    ...definition,
    proxiable: definition.proxiable ?? true,
    plan: new Plan(definition.name, definition.avps),
  };
}

/** A request with the answer that belongs to it. */
export interface CommandPair<Q extends Command = Command, A extends Command = Command> {
  readonly request: Q;
  readonly answer: A;
}

export function pair<Q extends Command, A extends Command>(request: Q, answer: A): CommandPair<Q, A> {
  return { request, answer };
}

/** A Diameter application: what is announced in CER/CEA, and its commands. */
export interface Application {
  readonly name: string;
  readonly id: number;
  /** 0 for an IETF application, else announced in Vendor-Specific-Application-Id. */
  readonly vendorId: number;
  /** Announced in Acct-Application-Id instead of Auth-Application-Id (RFC 6733 §2.4). Default false. */
  readonly accounting?: boolean;
  readonly commands: readonly CommandPair[];
  /** Names of its Experimental-Result-Code values, of its own vendor. */
  readonly experimentalResults?: ReadonlyMap<number, string>;
}

/** Finds commands by what the header says. */
export class Dictionary {
  readonly #pairs = new Map<number, Map<number, CommandPair>>();

  constructor(applications: readonly Application[]) {
    for (const application of applications) {
      const byCode = new Map<number, CommandPair>();
      for (const each of application.commands) byCode.set(each.request.code, each);
      this.#pairs.set(application.id, byCode);
    }
  }

  knowsApplication(applicationId: number): boolean {
    return this.#pairs.has(applicationId);
  }

  find(applicationId: number, code: number): CommandPair | undefined {
    return this.#pairs.get(applicationId)?.get(code);
  }
}

import { parseMessage, type SipMessage } from "@ims/sip";
import type { NodeStep } from "../trail/ask-node.ts";
import type { Exchange } from "../trail/exchange.ts";

/** A SIP message of the trail: where and when, and what it says. */
export interface SipEvent {
  readonly step: NodeStep;
  readonly message: SipMessage;
}

export type CaseKind = "registration" | "call" | "request";

/** Who made an answer that means no. */
export type Origin =
  | {
      /** A functional entity of this core. */
      readonly kind: "core";
      readonly node: string;
      readonly entity: string;
      /** Reason phrase, when it is more than the usual one. */
      readonly reason: string;
      /** What only the trail was told. */
      readonly why: string;
      readonly step: NodeStep;
    }
  /** The UE at the other end, or somebody outside the core. */
  | { readonly kind: "ue" | "peer"; readonly remote: string; readonly step: NodeStep };

/** One registration or call as rules look at it; needs steps with their texts. Pure. */
export class CaseFile {
  readonly steps: readonly NodeStep[];
  /** SIP messages that can be read, in order of time. */
  readonly events: readonly SipEvent[];
  readonly kind: CaseKind;
  readonly method: string;
  /** What it began with, where it entered the core. */
  readonly first: SipEvent | undefined;
  /** The last final answer to it that left the core. */
  readonly final: SipEvent | undefined;

  constructor({ steps }: Exchange) {
    this.steps = steps;
    this.events = steps.flatMap(eventOf);
    this.first =
      this.events.find(
        ({ step, message }) => message.isRequest && step.direction === "in" && isOutside(step),
      ) ?? this.events.find(({ message }) => message.isRequest);
    this.method = this.first?.message.method ?? this.events[0]?.step.method ?? "";
    this.kind = this.method === "REGISTER" ? "registration" : this.method === "INVITE" ? "call" : "request";
    this.final = this.#final();
  }

  /** Requests that came in from UEs and peers. */
  received(method?: string): readonly SipEvent[] {
    return this.events.filter(
      ({ step, message }) => isRequest(message, method) && step.direction === "in" && isOutside(step),
    );
  }

  /** Requests that went out to UEs and peers, each copy of them. */
  sent(method?: string): readonly SipEvent[] {
    return this.events.filter(
      ({ step, message }) => isRequest(message, method) && step.direction === "out" && isOutside(step),
    );
  }

  /** Answers to requests of a method that UEs and peers were given. */
  answers(method: string): readonly SipEvent[] {
    return this.events.filter(
      ({ step, message }) => isAnswer(message, method) && step.direction === "out" && isOutside(step),
    );
  }

  /** Answers to requests of a method that came in from UEs and peers. */
  answered(method: string): readonly SipEvent[] {
    return this.events.filter(
      ({ step, message }) => isAnswer(message, method) && step.direction === "in" && isOutside(step),
    );
  }

  /** The final answer when it says no; undefined while there is none, and when it says yes. */
  get refusal(): SipEvent | undefined {
    return this.final !== undefined && this.final.message.status >= 300 ? this.final : undefined;
  }

  decisions(what: string): readonly NodeStep[] {
    return this.steps.filter((step) => step.kind === "decision" && fieldOf(step, "what") === what);
  }

  /** Messages of Cx, by name: UAR, UAA, MAR, MAA, SAR, SAA, LIR, LIA, RTR. */
  cx(name: string): readonly NodeStep[] {
    return this.steps.filter(
      ({ kind, direction, title }) => kind === "cx" && direction !== "" && nameOf(title) === name,
    );
  }

  /** Notes of that kind: "cx" (a request that nobody answered), "store", "charging". */
  notes(kind: string): readonly NodeStep[] {
    return this.steps.filter((step) => step.kind === kind && step.direction === "");
  }

  /** Who made the final answer of that status to a request of that method. */
  originOf(status: number, method = this.method): Origin | undefined {
    const said = this.decisions("answer").find((step) => fieldOf(step, "status") === String(status));
    const seen = this.events.find(
      ({ message }) => isAnswer(message, method) && message.status === status,
    )?.step;
    // Between the entity's decision and its message hardly any time goes by; what came from outside came before.
    if (said !== undefined && (seen === undefined || seen.direction === "out" || said.time <= seen.time))
      return {
        kind: "core",
        node: said.node,
        entity: fieldOf(said, "entity") ?? said.node,
        reason: fieldOf(said, "reason") ?? "",
        why: fieldOf(said, "why") ?? "",
        step: said,
      };
    if (seen === undefined) return undefined;
    if (seen.direction === "out")
      return {
        kind: "core",
        node: seen.node,
        entity: seen.node,
        reason: reasonOf(seen),
        why: "",
        step: seen,
      };
    return {
      kind: seen.ends?.side === "access" ? "ue" : "peer",
      remote: seen.ends?.remote ?? "",
      step: seen,
    };
  }

  #final(): SipEvent | undefined {
    const { first, method } = this;
    if (first === undefined) return this.answers(method).at(-1);
    // A call may be tried again with another CSeq, after a challenge or 422; what is inside the dialog is another matter.
    const tries = new Set(
      this.received(method)
        .filter(({ message }) => message.toTag === "")
        .map(({ message }) => message.cseqNumber),
    );
    const finals = this.events.filter(
      ({ step, message }) =>
        isAnswer(message, method) &&
        message.status >= 200 &&
        step.direction === "out" &&
        step.node === first.step.node &&
        (isOutside(step) || !isOutside(first.step)) &&
        (tries.size === 0 || tries.has(message.cseqNumber)),
    );
    return finals.at(-1);
  }
}

/** Was it with a UE or a peer, and not between nodes? */
export function isOutside({ ends }: NodeStep): boolean {
  return ends?.side === "access" || ends?.side === "peer";
}

/** A field of a note or decision, as text. */
export function fieldOf({ fields }: NodeStep, name: string): string | undefined {
  const value = fields?.[name];
  return typeof value === "string" ? value : undefined;
}

function isRequest(message: SipMessage, method: string | undefined): boolean {
  return message.isRequest && (method === undefined || message.method === method);
}

function isAnswer(message: SipMessage, method: string): boolean {
  return !message.isRequest && message.cseqMethod === method;
}

/** A body whose secrets are taken out is not as long as it says: the message is readable all the same. */
function eventOf(step: NodeStep): SipEvent[] {
  if (step.kind !== "sip" || step.text === undefined) return [];
  const { message } = parseMessage(step.text);
  return message === undefined ? [] : [{ step, message }];
}

function nameOf(title: string): string {
  return title.split(" ", 1)[0] ?? "";
}

/** "Bad Request (Contact)" of "400 Bad Request (Contact) (REGISTER)". */
function reasonOf({ title }: NodeStep): string {
  return /^[0-9]{3} (.*?)(?: \([A-Z]+\))?$/.exec(title)?.[1] ?? "";
}

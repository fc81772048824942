import type { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { responseTo } from "../message/response.ts";
import { decimal } from "../message/values.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { Flow } from "../transport/transport.ts";
import { type AdmissionParts, admit } from "./admission.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isLooped } from "./loop-detection.ts";
import type { Side } from "./proxy-options.ts";
import type { ResponseRouter } from "./response-router.ts";
import { StatelessContext, type StatelessParts } from "./stateless-context.ts";
import type { RequestContext, TransactionUser } from "./transaction-user.ts";

export interface StraysModules {
  readonly admission: AdmissionParts;
  readonly identifiers: Identifiers;
  readonly responses: ResponseRouter;
  readonly dispatcher: Dispatcher;
  readonly onDefect: (error: unknown, request: SipMessage) => void;
}

/** What belongs to a transaction of another member of the pool, which may be dead: RFC 3261 §16.10, §16.11. */
export class Strays {
  readonly #modules: StraysModules;

  constructor(modules: StraysModules) {
    this.#modules = modules;
  }

  /** What is answered by nobody must not go round: Max-Forwards, and RFC 5393 for what has been here. */
  mustEnd(request: SipMessage): boolean {
    const { branchPrefix } = this.#modules.admission;
    return decimal(request.header("Max-Forwards") ?? "70") === 0 || isLooped(request, branchPrefix, true);
  }

  /** Passes a response on by its next Via; false when that is not for us to do. */
  response(response: SipMessage, flow: Flow, side: Side): boolean {
    if (side.strict || side.answers?.(flow.remoteAddress) === false || !isOfPool(response, side))
      return false;
    response.replaceTop("Via", undefined);
    return this.#modules.responses.send(response, side.name);
  }

  /** A CANCEL whose INVITE another member has goes where that INVITE went; false when that is not for us to do. */
  cancel(transaction: ServerTransaction, side: Side): boolean {
    const { request, flow } = transaction;
    if (side.strict || side.sentBy === undefined || this.mustEnd(request)) return false;
    if (side.answers?.(flow.remoteAddress) === false) return false;
    const { admission, identifiers, dispatcher } = this.#modules;
    const { entity, fault } = admit(request, side, admission);
    if (fault !== undefined) return false;
    // The next hop's answer is the answer; without a next hop it is ours.
    let settled = false;
    const parts: StatelessParts = {
      entities: admission.entities,
      run: (next, context) => this.#run(next, context),
      send: (forwarded, destination) => {
        if (!settled) transaction.end();
        settled = true;
        dispatcher.sendStateless(forwarded, destination);
      },
      refused: () => {
        if (settled) return;
        settled = true;
        transaction.respond(responseTo(request, 481, { toTag: identifiers.tag() }));
      },
    };
    this.#run(entity, new StatelessContext(request, flow, { entity }, parts));
    return true;
  }

  /** May an ACK belong to a transaction of another member? */
  mayAcknowledge(flow: Flow, side: Side): boolean {
    return !side.strict && side.sentBy !== undefined && side.answers?.(flow.remoteAddress) !== false;
  }

  /**
   * The ACK of a refusal (not 2xx) whose INVITE another member has goes the way of that INVITE, with its branch: so the server
   * transaction at the next hop ends (RFC 3261 §17.2.1). The procedures see what they see of a CANCEL.
   */
  acknowledge(ack: SipMessage, flow: Flow, entity: TransactionUser): void {
    const { admission, dispatcher } = this.#modules;
    const to = ack.header("To") ?? "";
    const request = ack.clone().set("To", withoutTag(to)).set("CSeq", `${ack.cseqNumber} CANCEL`);
    request.method = "CANCEL";
    const parts: StatelessParts = {
      entities: admission.entities,
      run: (next, context) => this.#run(next, context),
      send: (forwarded, destination) => {
        forwarded.method = "ACK";
        forwarded.set("To", to).set("CSeq", `${ack.cseqNumber} ACK`);
        dispatcher.sendStateless(forwarded, destination);
      },
      refused: () => undefined,
    };
    this.#run(entity, new StatelessContext(request, flow, { entity }, parts));
  }

  #run(entity: TransactionUser, context: RequestContext): void {
    const defect = (error: unknown): void => {
      this.#modules.onDefect(error, context.request);
      context.respond(500);
    };
    try {
      const running = entity.onRequest(context);
      if (running !== undefined) running.catch(defect);
    } catch (error) {
      defect(error);
    }
  }
}

/** A To as it was before the answer: nothing but a tag is added to it. */
function withoutTag(to: string): string {
  const end = to.lastIndexOf(">") + 1;
  return to.slice(0, end) + to.slice(end).replace(/;\s*tag\s*=[^;]*/i, "");
}

/** Is our pool's Via on top? Any member may take it off. */
function isOfPool(response: SipMessage, { sentBy }: Side): boolean {
  const via = response.topVia;
  if (sentBy === undefined || via === undefined || response.values("Via").length < 2) return false;
  return sentBy.toLowerCase() === (via.port === undefined ? via.host : `${via.host}:${via.port}`);
}

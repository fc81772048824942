import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parser.ts";
import { responseTo } from "../message/response.ts";
import {
  faultOfUnreadable,
  isUsableResponse,
  type RequestFault,
  validateRequest,
} from "../message/validate.ts";
import type { IsKnown, OverloadControl } from "../overload/overload-control.ts";
import type { TransactionLayer } from "../transaction/transaction-layer.ts";
import type { Flow, GarbageReason, TransportHandler } from "../transport/transport.ts";
import type { ProxyCoreOptions, Side } from "./proxy-options.ts";
import { noteSource } from "./source.ts";

/** How much of what cannot be read is kept in the trail, octets. */
const UNREADABLE_KEPT = 2_048;
/** How much of a message whose framing failed is looked at for whom to answer, characters. */
const HEAD_KEPT = 8_192;

export interface ReceptionModules {
  readonly counters: ProxyCoreOptions["counters"];
  readonly trail: ProxyCoreOptions["trail"];
  readonly overload: ProxyCoreOptions["overload"];
  readonly sides: ReadonlyMap<string, Side>;
  readonly transactions: TransactionLayer;
}

/** What the transport hands up is read and judged here before a transaction has it: RFC 3261 §16.3 step 1, §18.3, RFC 7339. */
export class Reception implements TransportHandler {
  readonly #modules: ReceptionModules;

  constructor(modules: ReceptionModules) {
    this.#modules = modules;
  }

  onMessage(text: string, flow: Flow, handed?: SipMessage): void {
    const { overload, trail } = this.#modules;
    if (overload?.active && this.#shed(text, flow, overload)) return;
    if (handed !== undefined) return this.#receive(handed, text, flow);
    const parsed = parseMessage(text);
    if (parsed.kind === "message") return this.#receive(parsed.message, text, flow);
    trail?.receivedText(text.slice(0, UNREADABLE_KEPT), flow);
    if (!isAnswerable(parsed.message)) return this.#drop("unreadable", flow);
    noteSource(parsed.message, flow);
    this.#refuse(parsed.message, flow, faultOfUnreadable(parsed.fault));
  }

  /** Framing failed: say 400 if the head can be read; the transport closes the stream. */
  onGarbage(flow: Flow, reason: GarbageReason, text: string): void {
    const head = text.slice(0, HEAD_KEPT);
    this.#modules.trail?.receivedText(text.slice(0, UNREADABLE_KEPT), flow);
    const { message } = parseMessage(
      head.includes("\r\n\r\n") ? head : `${head.slice(0, head.lastIndexOf("\r\n"))}\r\n\r\n`,
    );
    if (!isAnswerable(message)) return this.#drop("unreadable", flow);
    const fault: RequestFault =
      reason === "tooLarge"
        ? { status: 513, reason: "Message Too Large" }
        : { status: 400, reason: `Bad Request (${reason})` };
    this.#refuse(message, flow, fault);
  }

  onStale(side: string): void {
    this.#modules.counters?.dropped("stale", side);
  }

  #receive(message: SipMessage, text: string, flow: Flow): void {
    this.#modules.trail?.received(message, text, flow);
    if (message.isRequest) this.#receiveRequest(message, flow);
    else if (isUsableResponse(message)) {
      this.#hear(message, flow);
      this.#modules.transactions.onResponse(message, flow);
    } else this.#drop("response", flow);
  }

  #receiveRequest(request: SipMessage, flow: Flow): void {
    const { sides, counters, transactions } = this.#modules;
    const side = sides.get(flow.side);
    if (side === undefined) return;
    counters?.request(request.method, flow.side);
    if (request.topVia !== undefined) noteSource(request, flow);
    const fault = validateRequest(request, side.strict);
    if (fault === undefined) transactions.onRequest(request, flow);
    else if (isAnswerable(request)) this.#refuse(request, flow, fault);
    else this.#drop("unreadable", flow);
  }

  /** RFC 7339 §11: what strangers say of overload counts for nothing. */
  #hear(response: SipMessage, flow: Flow): void {
    const { overload, sides } = this.#modules;
    const side = sides.get(flow.side);
    if (overload === undefined || side === undefined || side.strict) return;
    if (side.answers?.(flow.remoteAddress) !== false) overload.heard(response, flow);
  }

  /** Refuses before anything is parsed; true when the message is done with. */
  #shed(text: string, flow: Flow, overload: OverloadControl): boolean {
    const refusal = overload.refusal(text, flow, this.#isKnown);
    if (refusal === undefined) return false;
    if (refusal === "") return true;
    const { counters, trail } = this.#modules;
    const method = text.slice(0, text.indexOf(" "));
    counters?.request(method, flow.side);
    counters?.response(method, 503, flow.side);
    flow.send(refusal);
    trail?.shed(refusal, flow);
    return true;
  }

  readonly #isKnown: IsKnown = (via, method, side) => this.#modules.transactions.knows(via, method, side);

  /** Answers without a transaction: nothing a stranger sends wrong shall cost memory. */
  #refuse(request: SipMessage, flow: Flow, fault: RequestFault): void {
    const { counters, trail, transactions } = this.#modules;
    const response = responseTo(request, fault.status, {
      toTag: transactions.identifiers.tag(),
      reason: fault.reason,
    });
    counters?.response(request.method, fault.status, flow.side);
    const text = response.toString();
    flow.send(text, response);
    trail?.sent(response, text, flow);
  }

  #drop(reason: "unreadable" | "response", flow: Flow): void {
    this.#modules.counters?.dropped(reason, flow.side);
  }
}

/** Is it a request whose sender waits for an answer (an ACK's does not), and is it known where he is? */
function isAnswerable(message: SipMessage | undefined): message is SipMessage {
  return message?.isRequest === true && message.method !== "ACK" && message.topVia !== undefined;
}

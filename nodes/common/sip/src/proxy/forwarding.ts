import { SipMessage } from "../message/message.ts";
import { hostForUri } from "../message/uri.ts";
import { decimal } from "../message/values.ts";
import type { Flow, TransportLayer } from "../transport/transport.ts";

/** A copy of a request to send on, Max-Forwards counted down (RFC 3261 §16.6 steps 1 and 3). */
export function forwardedCopy(request: SipMessage): SipMessage {
  const hops = decimal(request.header("Max-Forwards") ?? "") ?? 70;
  return request.clone().set("Max-Forwards", String(Math.max(0, Math.min(hops, 255) - 1)));
}

/** Makes our Via: sent-by is where the side listens, so that an answer finds us when the connection is gone. */
export class ViaMaker {
  readonly #transport: TransportLayer;
  readonly #parameters: (side: string) => string;
  readonly #sentBy: (side: string) => string | undefined;
  readonly #heads = new Map<string, string>();

  /** `parameters`: what every Via of a side carries besides; `sentBy`: host and port of a side when it is not where it listens. */
  constructor(
    transport: TransportLayer,
    parameters: (side: string) => string = () => "",
    sentBy: (side: string) => string | undefined = () => undefined,
  ) {
    this.#transport = transport;
    this.#parameters = parameters;
    this.#sentBy = sentBy;
  }

  make(flow: Flow, branch: string): string {
    const key = `${flow.side}|${flow.protocol}|${flow.localAddress}`;
    let head = this.#heads.get(key);
    if (head === undefined) {
      const point = this.#transport.listeningPoints.find(
        (one) => one.side === flow.side && one.protocol === flow.protocol,
      );
      const port = point?.port ?? flow.localPort;
      const sentBy = this.#sentBy(flow.side) ?? `${hostForUri(flow.localAddress)}:${port}`;
      head = `SIP/2.0/${flow.protocol} ${sentBy};branch=`;
      this.#heads.set(key, head);
    }
    const more = this.#parameters(flow.side);
    return flow.protocol === "UDP" ? `${head}${branch};rport${more}` : `${head}${branch}${more}`;
  }
}

/** RFC 3261 §9.1: same Request-URI, Call-ID, To, From, Route, CSeq number and top Via as what it cancels. */
export function cancelFor(sent: SipMessage): SipMessage {
  const cancel = SipMessage.request("CANCEL", sent.requestUri);
  cancel.append("Via", sent.top("Via") ?? "");
  cancel.copy("Route", sent).copy("From", sent).copy("To", sent).copy("Call-ID", sent);
  cancel.append("CSeq", `${sent.cseqNumber} CANCEL`).append("Max-Forwards", "70");
  // Another member of the pool has to find the served user that the INVITE named (RFC 3325 leaves it open).
  cancel.copy("P-Asserted-Identity", sent);
  return cancel.copy("Reason", sent).append("Content-Length", "0");
}

import type { Clock } from "@ims/runtime";
import { type Flow, NodeTransportLayer, parseMessage, SipMessage, type Target } from "@ims/sip";

export const LOOPBACK = "127.0.0.1";
export const HOME = "rehearsal.invalid";

/** What stands in for whom a P-CSCF talks to: a transport layer on loopback, and messages that have been read. */
export abstract class StandIn {
  readonly transport: NodeTransportLayer;
  readonly side: string;

  constructor(side: string, clock: Clock) {
    this.side = side;
    this.transport = new NodeTransportLayer({
      clock,
      handler: {
        onMessage: (text, flow) => {
          const read = parseMessage(text);
          if (read.kind !== "message") return;
          if (read.message.isRequest) this.onRequest(read.message, flow);
          else this.onResponse(read.message, flow);
        },
      },
    });
  }

  protected abstract onRequest(request: SipMessage, flow: Flow): void;
  protected abstract onResponse(response: SipMessage, flow: Flow): void;

  /** Port that the system chose. */
  async listen(protocol: "TCP" | "UDP"): Promise<number> {
    return (await this.transport.listen({ side: this.side, protocol, host: LOOPBACK, port: 0 })).port;
  }

  flowTo(target: Omit<Target, "address">): Flow {
    return this.transport.flowTo({ ...target, address: LOOPBACK }, this.side);
  }

  stop(): Promise<void> {
    return this.transport.stop();
  }
}

/** Headers that every request has: RFC 3261 §8.1.1. */
export function requestOf(
  method: string,
  uri: string,
  headers: { readonly [name in "via" | "from" | "to" | "callId"]: string } & { readonly cseq: number },
): SipMessage {
  return SipMessage.request(method, uri)
    .append("Via", headers.via)
    .append("Max-Forwards", "70")
    .append("From", headers.from)
    .append("To", headers.to)
    .append("Call-ID", headers.callId)
    .append("CSeq", `${headers.cseq} ${method}`)
    .append("Content-Length", "0");
}

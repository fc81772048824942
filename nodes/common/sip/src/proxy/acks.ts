import type { SipMessage } from "../message/message.ts";
import { decimal } from "../message/values.ts";
import type { Flow } from "../transport/transport.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Entities } from "./entities.ts";
import { forwardedCopy } from "./forwarding.ts";
import { topRoute } from "./next-hop.ts";
import { popOwnRoutes } from "./own-route.ts";
import type { Side } from "./proxy-options.ts";
import type { Strays } from "./strays.ts";
import type { AckContext, Destination, TransactionUser } from "./transaction-user.ts";

export interface AcksModules {
  readonly entities: Entities;
  readonly strays: Strays;
  readonly dispatcher: Dispatcher;
  readonly onDefect: (error: unknown, request: SipMessage) => void;
}

/** ACKs of no transaction of ours: those of a 2xx are requests by themselves (RFC 3261 §13.2.2.4), which are forwarded without state. */
export class Acks {
  readonly #modules: AcksModules;

  constructor(modules: AcksModules) {
    this.#modules = modules;
  }

  /** False: it leads nowhere. */
  onAck(ack: SipMessage, flow: Flow, side: Side): boolean {
    const { entities, strays } = this.#modules;
    const route = topRoute(ack);
    if (route === "malformed" || ack.target === undefined || strays.mustEnd(ack)) return false;
    const own = route === undefined || side.strict ? undefined : entities.accepting(route);
    const entity = own ?? side.entity;
    if (strays.mayAcknowledge(flow, side) && entity.isOfRefusal?.(ack) === true)
      strays.acknowledge(ack, flow, entity);
    else this.#enter(ack, flow, entity);
    return true;
  }

  #enter(ack: SipMessage, flow: Flow, entity: TransactionUser): void {
    const context: AckContext = {
      request: ack,
      flow,
      forward: () => forwardedCopy(ack),
      send: (request, destination) => this.#send(request, destination, flow, entity),
    };
    if (entity.onAck !== undefined) {
      try {
        entity.onAck(context);
      } catch (error) {
        this.#modules.onDefect(error, ack);
      }
      return;
    }
    const forwarded = context.forward();
    popOwnRoutes(forwarded, { own: this.#modules.entities });
    context.send(forwarded, { kind: "uri", side: flow.side });
  }

  /** To the wire, or to another entity of this process, as the requests of its dialog go. */
  #send(ack: SipMessage, destination: Destination, flow: Flow, from: TransactionUser): void {
    const next = this.#modules.entities.next(ack, destination);
    const hops = decimal(ack.header("Max-Forwards") ?? "70") ?? 0;
    if (next === undefined || next === from || hops === 0)
      this.#modules.dispatcher.sendStateless(ack, destination);
    else this.#enter(ack, flow, next);
  }
}

import {
  type AckContext,
  ownTopRoute,
  popOwnRoutes,
  type RequestContext,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import type { IcscfModules } from "./modules.ts";
import { registration } from "./registration.ts";
import { terminating } from "./terminating.ts";

/** Interrogating-CSCF: TS 24.229 §5.3. */
export class Icscf implements TransactionUser {
  readonly functionalEntity = "I-CSCF";
  readonly #modules: IcscfModules;

  constructor(modules: IcscfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void | Promise<void> {
    const { request } = context;
    if (request.method === "REGISTER") return registration(context, this.#modules);
    // Inside a dialog only a Route of ours can have led here: what follows it decides.
    if (request.toTag !== "" && ownTopRoute(request, this.#modules.own) !== undefined) {
      const forwarded = context.forward();
      popOwnRoutes(forwarded, this.#modules);
      if (forwarded.top("Route") !== undefined) {
        context.fork(forwarded, { destination: { kind: "uri", side: this.#modules.options.side } });
        return;
      }
    }
    return terminating(context, this.#modules);
  }

  /** No Record-Route of ours leads here; a Route that does is followed. */
  onAck(context: AckContext): void {
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    if (forwarded.top("Route") !== undefined)
      context.send(forwarded, { kind: "uri", side: this.#modules.options.side });
  }
}

import type { AckContext, RequestContext, SipMethod, TransactionUser, Uri } from "@ims/sip";
import { ownTopRoute } from "../routing/own-route.ts";
import { ack, inDialog } from "./in-dialog.ts";
import type { ScscfModules } from "./modules.ts";
import { originating } from "./originating.ts";
import { register } from "./registrar.ts";
import { terminating } from "./terminating.ts";

type Procedure = (context: RequestContext, modules: ScscfModules) => void | Promise<void>;

/** Methods that are more than proxied. */
const procedures = { REGISTER: register } as const satisfies Partial<Record<SipMethod, Procedure>>;

/** Serving-CSCF: TS 24.229 §5.4. */
export class Scscf implements TransactionUser {
  readonly functionalEntity = "S-CSCF";
  readonly #modules: ScscfModules;

  constructor(modules: ScscfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void | Promise<void> {
    const { request } = context;
    const modules = this.#modules;
    if (request.method === "REGISTER") return procedures.REGISTER(context, modules);
    // Inside a dialog (RFC 3261 §12.2): a tag on both ends.
    if (request.toTag !== "") return inDialog(context, modules);
    const route = ownTopRoute(request, modules.own);
    const originates = route?.parameters.has("orig") ?? false;
    // Reg-event and other packages of the S-CSCF itself are not here yet (RFC 6665 §7.3.2); other packages are proxied.
    if (request.method === "SUBSCRIBE" && isRegEvent(request.header("Event"))) return context.respond(489);
    return originates ? originating(context, modules) : terminating(context, modules);
  }

  onAck(context: AckContext): void {
    ack(context, this.#modules);
  }
}

function isRegEvent(event: string | undefined): boolean {
  return event !== undefined && event.split(";")[0]?.trim().toLowerCase() === "reg";
}

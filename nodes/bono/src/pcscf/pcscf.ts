import type { AckContext, RequestContext, TransactionUser, Uri } from "@ims/sip";
import { acknowledge, fromUeInDialog, toUeInDialog } from "./in-dialog.ts";
import type { PcscfModules } from "./modules.ts";
import { originating } from "./originating.ts";
import { answerPoll, isPoll } from "./poll.ts";
import { register } from "./register.ts";
import { terminating } from "./terminating.ts";

/** P-CSCF: TS 24.229 §5.2. Gm on side "access", Mw on side "core". */
export class Pcscf implements TransactionUser {
  readonly functionalEntity = "P-CSCF";
  readonly #modules: PcscfModules;

  constructor(modules: PcscfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.sideOf(uri) !== undefined;
  }

  onRequest(context: RequestContext): void {
    const { request } = context;
    if (isPoll(request, this.#modules)) return answerPoll(context, this.#modules);
    const inDialog = request.toTag !== "";
    if (sideOf(context) === "core")
      return inDialog ? toUeInDialog(context, this.#modules) : terminating(context, this.#modules);
    if (request.method === "REGISTER") return register(context, this.#modules);
    return inDialog ? fromUeInDialog(context, this.#modules) : originating(context, this.#modules);
  }

  onAck(context: AckContext): void {
    acknowledge(context, context.flow.side === "access" ? "access" : "core", this.#modules);
  }
}

/** A request that an entity of this process handed over has left the access side, whatever flow it began on. */
function sideOf(context: RequestContext): "access" | "core" {
  return context.flow.side === "access" && context.from === undefined ? "access" : "core";
}

import type { AckContext, Flow, RequestContext, SipMessage, TransactionUser, Uri } from "@ims/sip";
import { isTurnedAway, turnAway } from "./drain.ts";
import { emergency } from "./emergency.ts";
import { acknowledge, fromUeInDialog, toUeInDialog } from "./in-dialog.ts";
import type { PcscfModules, Refusal } from "./modules.ts";
import { originating } from "./originating.ts";
import { answerPoll, isPoll } from "./poll.ts";
import { markForUe } from "./record-route.ts";
import { register } from "./register.ts";
import { terminating } from "./terminating.ts";
import { stripTowardsUe } from "./trust-domain.ts";

/** P-CSCF: TS 24.229 §5.2. Gm on side "access", Mw on side "core". */
export class Pcscf implements TransactionUser {
  readonly functionalEntity = "P-CSCF";
  readonly #modules: PcscfModules;
  #quiescing = false;
  #taken = 0;

  constructor(modules: PcscfModules) {
    this.#modules = modules;
  }

  /** Requests that were not refused at the door. */
  get taken(): number {
    return this.#taken;
  }

  /** From now on nothing new is begun; dialogs go on. */
  quiesce(): void {
    this.#quiescing = true;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.sideOf(uri) !== undefined;
  }

  onRequest(context: RequestContext): void | Promise<void> {
    const { request, flow } = context;
    const side = sideOf(context);
    // The trusted side is for its peers only.
    if (flow.side === "core" && !this.#modules.mayUseCore(flow.remoteAddress))
      return this.#refuse(context, 403, "foreignPeer");
    if (isPoll(request, this.#modules))
      return this.#quiescing ? turnAway(context, this.#modules) : answerPoll(context, this.#modules);
    const inDialog = request.toTag !== "";
    const initial = side === "access" && !inDialog && request.method !== "REGISTER";
    const service = initial ? this.#modules.emergencyNumbers.serviceOf(request.requestUri) : undefined;
    // Nobody in need is sent elsewhere: the call outlasts this process if its flow does.
    if (
      this.#quiescing &&
      side === "access" &&
      service === undefined &&
      isTurnedAway(request, flow, this.#modules)
    )
      return turnAway(context, this.#modules);
    this.#taken++;
    const { registrationEvents } = this.#modules;
    if (registrationEvents !== undefined && side === "core" && inDialog && registrationEvents.isOurs(request))
      return registrationEvents.notified(context);
    if (side === "core")
      return inDialog ? toUeInDialog(context, this.#modules) : terminating(context, this.#modules);
    if (request.method === "REGISTER") return register(context, this.#modules);
    if (service !== undefined) return emergency(context, service, this.#modules);
    return inDialog ? fromUeInDialog(context, this.#modules) : originating(context, this.#modules);
  }

  onAck(context: AckContext): void {
    const { side, remoteAddress } = context.flow;
    if (side === "access") acknowledge(context, "access", this.#modules);
    else if (this.#modules.mayUseCore(remoteAddress)) acknowledge(context, "core", this.#modules);
  }

  /** A UE answers once; another 2xx of the trusted side loses what the first one lost. */
  onFurtherAnswer(response: SipMessage, from: Flow, to: Flow): boolean {
    if (from.side === "access") return false;
    if (to.side !== "access") return true;
    stripTowardsUe(response);
    markForUe(response, this.#modules.flows.access(to), this.#modules);
    return true;
  }

  #refuse(context: RequestContext, status: number, why: Refusal): void {
    this.#modules.counters.refused(why);
    context.respond(status);
  }
}

/** A request that an entity of this process handed over has left the access side, whatever flow it began on. */
function sideOf(context: RequestContext): "access" | "core" {
  return context.flow.side === "access" && context.from === undefined ? "access" : "core";
}

import {
  type AckContext,
  type Flow,
  type RequestContext,
  SIP_METHODS,
  type SipMessage,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import { answerTowardsPeer, entry } from "./entry.ts";
import { exit, refuse } from "./exit.ts";
import { openRecordRoute, openVias } from "./hidden-path.ts";
import { acknowledgeFromPeer, acknowledgeToPeer, enterInDialog, leaveInDialog } from "./in-dialog.ts";
import type { IbcfModules } from "./modules.ts";
import { screenFromPeer } from "./trust-domain.ts";

/** Interconnection Border Control Function: TS 24.229 §5.10. Ici and Mx on side "peer", Mx on side "core". */
export class Ibcf implements TransactionUser {
  readonly functionalEntity = "IBCF";
  readonly #modules: IbcfModules;
  #quiescing = false;
  #taken = 0;

  constructor(modules: IbcfModules) {
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

  onRequest(context: RequestContext): void {
    if (isFromPeer(context)) this.#fromPeer(context);
    else this.#fromCore(context);
  }

  #fromPeer(context: RequestContext): void {
    const { request, flow } = context;
    const peer = this.#modules.peers.table.from(flow.remoteAddress);
    // 1. A stranger costs no memory (§5.10.3.2: only agreed networks).
    if (peer === undefined) return refuse(context, this.#modules, 403, "foreignPeer", { stateless: true });
    // 2. Is the way open? RFC 3261 §11.
    if (this.#isPoll(request)) return this.#quiescing ? this.#turnAway(context) : answerPoll(context);
    if (request.toTag === "" && this.#quiescing) return this.#turnAway(context);
    this.#taken++;
    if (request.toTag !== "") enterInDialog(context, peer, this.#modules);
    else entry(context, peer, this.#modules);
  }

  #fromCore(context: RequestContext): void {
    const { request, flow, from } = context;
    const { mayUseCore } = this.#modules;
    if (from === undefined && !mayUseCore(flow.remoteAddress))
      return refuse(context, this.#modules, 403, "foreignPeer");
    if (request.method === "OPTIONS" && this.#isPoll(request) && request.routes.length < 2)
      return this.#quiescing ? this.#turnAway(context) : answerPoll(context);
    if (request.toTag === "" && this.#quiescing) return this.#turnAway(context);
    this.#taken++;
    if (request.method === "REGISTER") return refuse(context, this.#modules, 403, "register");
    if (request.toTag !== "") leaveInDialog(context, this.#modules);
    else exit(context, this.#modules);
  }

  onAck(context: AckContext): void {
    const { peers, mayUseCore } = this.#modules;
    const { side, remoteAddress } = context.flow;
    if (side !== "peer") {
      if (mayUseCore(remoteAddress)) acknowledgeToPeer(context, this.#modules);
      return;
    }
    const peer = peers.table.from(remoteAddress);
    if (peer !== undefined) acknowledgeFromPeer(context, peer, this.#modules);
  }

  /** One more 2xx, after the procedure of the INVITE is over: what was hidden is in what it brings back. */
  onFurtherAnswer(response: SipMessage, from: Flow, to: Flow): boolean {
    const { peers } = this.#modules;
    const inwards = from.side === "peer";
    const peer = peers.table.from(inwards ? from.remoteAddress : to.remoteAddress);
    if (peer === undefined) return false;
    if (!inwards) {
      if (to.side === "peer") answerTowardsPeer(response, { flow: to, peer, recorded: true }, this.#modules);
      return true;
    }
    if (!openVias(response, this.#modules)) return false;
    openRecordRoute(response, peer, this.#modules);
    screenFromPeer(response, peer);
    return true;
  }

  #isPoll(request: SipMessage): boolean {
    const { target } = request;
    if (request.method !== "OPTIONS" || request.toTag !== "" || target === undefined) return false;
    const named = target.user !== "" && target.user !== "ibcf";
    return !named && this.#modules.own.isOurs(target);
  }

  /** Peers ask another member of the pool at once (RFC 3263 §4.3). */
  #turnAway(context: RequestContext): void {
    const seconds = this.#modules.settings.hasSiblings() ? "0" : "5";
    refuse(context, this.#modules, 503, "quiescing", {
      stateless: true,
      edit: (response) => void response.append("Retry-After", seconds),
    });
  }
}

/** Not handed over by an entity of this process: that has left the side it came in on. */
function isFromPeer({ flow, from }: RequestContext): boolean {
  return flow.side === "peer" && from === undefined;
}

/** RFC 3261 §11.2 */
function answerPoll(context: RequestContext): void {
  context.respond(200, {
    edit: (response) => {
      response.append("Allow", SIP_METHODS.filter((method) => method !== "REGISTER").join(", "));
      response.append("Accept", "application/sdp");
    },
  });
}

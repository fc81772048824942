import type { AckContext, FunctionalEntity, RequestContext, TransactionUser, Uri } from "@ims/sip";

/** Who may use sprout: TS 24.229 §4.4, the trust domain of Mw. */
export interface GuardModules {
  readonly mayUse: (address: string) => boolean;
  readonly own: { has(uri: Uri): boolean };
  readonly refused: (reason: "foreignPeer" | "quiescing") => void;
}

/** Stands before a functional entity: strangers, the time after SIGTERM, and polls. Hops inside the process pass. */
export class Guard implements TransactionUser {
  readonly functionalEntity: FunctionalEntity;
  readonly #entity: TransactionUser;
  readonly #modules: GuardModules;
  #quiescing = false;
  #taken = 0;

  constructor(entity: TransactionUser, modules: GuardModules) {
    this.functionalEntity = entity.functionalEntity;
    this.#entity = entity;
    this.#modules = modules;
  }

  /** Requests that passed. */
  get taken(): number {
    return this.#taken;
  }

  /** From now on no new registration or call is taken. */
  quiesce(): void {
    this.#quiescing = true;
  }

  accepts(uri: Uri): boolean {
    return this.#entity.accepts(uri);
  }

  onRequest(context: RequestContext): void | Promise<void> {
    if (context.from !== undefined) return this.#entity.onRequest(context);
    const { request, flow } = context;
    const { mayUse, own, refused } = this.#modules;
    // 1. Everything a peer says is believed, so not everybody may be one.
    if (!mayUse(flow.remoteAddress)) {
      refused("foreignPeer");
      return context.respond(403);
    }
    // 2. A poll of this node itself (RFC 3261 §11): who is about to end is not to be chosen any more.
    if (request.method === "OPTIONS" && !request.has("Route")) {
      const { target } = request;
      if (target !== undefined && target.user === "" && own.has(target))
        return this.#quiescing ? this.#turnAway(context) : context.respond(200);
    }
    // 3. What has begun goes on, new things are for others.
    if (this.#quiescing && request.toTag === "") return this.#turnAway(context);
    this.#taken++;
    return this.#entity.onRequest(context);
  }

  /** The sender asks another member of the pool at once, and this one no more for a while (RFC 3263 §4.3). */
  #turnAway(context: RequestContext): void {
    this.#modules.refused("quiescing");
    context.respond(503, { edit: (response) => void response.append("Retry-After", "1") });
  }

  onAck(context: AckContext): void {
    if (this.#modules.mayUse(context.flow.remoteAddress)) this.#entity.onAck?.(context);
  }
}

import type { Timer } from "@ims/runtime";
import {
  type DecisionFields,
  type ForkOptions,
  ownTopRoute,
  popOwnRoutes,
  type RequestContext,
  type RespondOptions,
  type SipMessage,
  type Uri,
} from "@ims/sip";
import type { Hosting } from "./hosting.ts";
import { type ServedUser, servedBy } from "./served-user.ts";
import type { Branch, ForwardOptions, InDialogRequest, InitialRequest } from "./service-request.ts";

/** A request at a hosted application server: its RequestContext, kept from what the server does wrong or too late. */
export class HostedRequest implements InitialRequest, InDialogRequest {
  readonly #context: RequestContext;
  readonly #hosting: Hosting;
  readonly #branches: Branch[] = [];
  /** Something was done with it: the server lives. */
  #acted = false;
  /** The server has had its time: it belongs to the default handling. */
  #over = false;
  #served: ServedUser | undefined | null = null;
  #timer: Timer | undefined;

  constructor(context: RequestContext, hosting: Hosting) {
    this.#context = context;
    this.#hosting = hosting;
  }

  get request(): SipMessage {
    return this.#context.request;
  }

  get cancelled(): boolean {
    return this.#context.cancelled;
  }

  get answered(): boolean {
    return this.#over || this.#context.answered;
  }

  get served(): ServedUser | undefined {
    if (this.#served === null) this.#served = servedBy(this.request, this.#hosting.own);
    return this.#served;
  }

  get criterion(): Uri | undefined {
    return ownTopRoute(this.request, this.#hosting.own);
  }

  get routes(): readonly Uri[] {
    return ownRoutes(this.request, this.#hosting);
  }

  copy(): SipMessage {
    const copy = this.#context.forward();
    popOwnRoutes(copy, this.#hosting);
    return copy;
  }

  forward(request: SipMessage = this.copy(), options: ForwardOptions = {}): Branch {
    if (this.#over) return { request, done: true, cancel: () => undefined };
    if (
      request === this.request ||
      request.method !== this.request.method ||
      request.callId !== this.request.callId
    )
      throw new TypeError("forward() takes a copy() of the request");
    if (this.#leadsNowhere(request)) {
      this.respond(404);
      return { request, done: true, cancel: () => undefined };
    }
    this.#acts();
    const { onResponse, ...more } = options;
    const given: ForkOptions = { destination: { kind: "uri", side: this.#hosting.side }, ...more };
    const watched = onResponse === undefined ? given : { ...given, onResponse: this.#watched(onResponse) };
    const branch = this.#context.fork(request, watched);
    this.#branches.push(branch);
    return branch;
  }

  respond(status: number, options: Pick<RespondOptions, "reason" | "edit"> = {}): void {
    if (this.#over) return;
    if (status !== 100) this.#acts();
    this.#context.respond(status, options);
  }

  relay(response: SipMessage): void {
    if (this.#over) return;
    this.#acts();
    this.#context.relay(response);
  }

  onUpstream(edit: (response: SipMessage) => void): void {
    if (this.#over) return;
    this.#context.onUpstream((response) => {
      try {
        edit(response);
      } catch (error) {
        this.#hosting.failed(error, this.request);
      }
    });
  }

  cancelBranches(): void {
    if (!this.#over) this.#context.cancelForks();
  }

  decided(what: string, fields: DecisionFields): void {
    this.#context.decided(what, { server: this.#hosting.name, ...fields });
  }

  recordRoute(request: SipMessage, user = ""): void {
    const { uri } = this.#hosting;
    const colon = uri.indexOf(":") + 1;
    const at = user === "" ? "" : `${user}@`;
    request.prepend("Record-Route", `<${uri.slice(0, colon)}${at}${uri.slice(colon)};lr>`);
  }

  /** The server's method has returned: what it has begun is to come to something in time. */
  awaits(): void {
    if (this.#acted || this.#over || this.#context.answered) return;
    const { clock, timeoutMs } = this.#hosting;
    this.#timer = clock.setTimer(timeoutMs, () => this.#late());
  }

  /** Something was thrown. What is already on its way stays there. */
  failed(error: unknown): void {
    this.#hosting.failed(error, this.request);
    if (this.#over || this.#context.answered || !this.#isIdle()) return;
    this.#giveUp(500);
  }

  /** The server is not to be asked. */
  skip(): void {
    this.#giveUp(503);
  }

  #watched(onResponse: NonNullable<ForwardOptions["onResponse"]>): NonNullable<ForkOptions["onResponse"]> {
    return (response, branch, local) => {
      if (this.#over) return "forward";
      let verdict: "absorb" | "forward" | undefined;
      try {
        verdict = onResponse(response, branch, local);
      } catch (error) {
        this.#hosting.failed(error, this.request);
      }
      // Who absorbs the last answer has promised another one.
      if (verdict === "absorb" && response.status >= 200 && this.#isIdle()) {
        this.#acted = false;
        this.awaits();
      }
      return verdict;
    };
  }

  #late(): void {
    if (this.#acted || this.#over || this.#context.answered) return;
    this.#hosting.late(this.request);
    // RFC 4320 §4.2: 408 says nothing that the sender of a non-INVITE does not know.
    this.#giveUp(this.request.method === "INVITE" ? 408 : 504);
  }

  /** Of an initial request the criterion says what now; inside a dialog it goes on as if there were no server. */
  #giveUp(status: number): void {
    this.#over = true;
    this.#timer?.cancel();
    this.decided("default handling", { status });
    const untouched = this.#branches.length === 0;
    if (untouched && this.request.toTag !== "") {
      const copy = this.copy();
      if (!this.#leadsNowhere(copy))
        return void this.#context.fork(copy, { destination: { kind: "uri", side: this.#hosting.side } });
    }
    this.#context.respond(
      status,
      status === 500 ? { reason: "Server Internal Error (application server)" } : {},
    );
  }

  /** A request for the server itself, and no Route. */
  #leadsNowhere(request: SipMessage): boolean {
    const { target } = request;
    return request.top("Route") === undefined && target !== undefined && this.#hosting.own.has(target);
  }

  #acts(): void {
    if (this.#acted) return;
    this.#acted = true;
    this.#timer?.cancel();
    this.#hosting.acted();
  }

  /** No branch is open. */
  #isIdle(): boolean {
    return this.#branches.every(({ done }) => done);
  }
}

/** Our own Route values on top of a request, top first. */
export function ownRoutes(request: SipMessage, { own }: Pick<Hosting, "own">): readonly Uri[] {
  const found: Uri[] = [];
  for (const { uri } of request.routes) {
    if (uri === undefined || !own.has(uri)) break;
    found.push(uri);
  }
  return found;
}

import type { DecisionFields, Fork, RespondOptions, SipMessage, Uri } from "@ims/sip";
import type { ServedUser } from "./served-user.ts";

/** One way that a request has been forwarded. */
export type Branch = Pick<Fork, "request" | "done" | "cancel">;

export interface ForwardOptions {
  /**
   * Sees every response of this branch but 100, also those made here (`local`: 408 when nobody answered, 503 when nobody could be reached). It
   * may edit the response. "absorb" ends the branch without a trace: forward again, or respond. Default: "forward".
   */
  onResponse?(response: SipMessage, branch: Branch, local: boolean): "absorb" | "forward" | undefined;
  /** Final answer not here by then: CANCEL and 408, ms. Default: the timers of SIP. */
  readonly timeoutMs?: number;
  /** Branches of the parallel search that this one is of (RFC 5393 §5.3.3). */
  readonly parallel?: number;
}

/** A request from its arrival to its final response: all that an application server can do with it. */
export interface ServiceRequest {
  /** As it came. Never edit it; edit a copy(). */
  readonly request: SipMessage;
  /** Who has sent it has given up: what is forwarded now is answered 487. */
  readonly cancelled: boolean;
  /** A final response has been sent, or the time was over: nothing has any effect any more. */
  readonly answered: boolean;
  /** A copy to edit and forward: our Route values are off, Max-Forwards is counted down. */
  copy(): SipMessage;
  /**
   * Sends it on by its Route, which leads back to the S-CSCF, else by its Request-URI. `request`: default copy(). Several branches are a
   * parallel search whose best response goes back (RFC 3261 §16.7).
   */
  forward(request?: SipMessage, options?: ForwardOptions): Branch;
  /** A response of our own; a final one cancels the branches still open. */
  respond(status: number, options?: Pick<RespondOptions, "reason" | "edit">): void;
  /** Sends a response back that was absorbed. */
  relay(response: SipMessage): void;
  /** Sees, and may edit, every response on its way back, ours too. */
  onUpstream(edit: (response: SipMessage) => void): void;
  cancelBranches(): void;
  /** Tells the trail of the call what was decided and why, for people; free when there is no trail. */
  decided(what: string, fields: DecisionFields): void;
}

/** An initial request, or a standalone transaction (TS 24.229 §5.7.3, §5.7.4). */
export interface InitialRequest extends ServiceRequest {
  /** For whom services are performed; undefined when the request names nobody. */
  readonly served: ServedUser | undefined;
  /** The URI of the filter criterion, with its parameters; undefined when the request came by its Request-URI. */
  readonly criterion: Uri | undefined;
  /**
   * Stays in the path of the dialog that `request`, a copy, may begin. `user` comes back in the routes of what follows: see
   * ServerHost.dialogs for what others must not read or invent.
   */
  recordRoute(request: SipMessage, user?: string): void;
}

/** A request inside a dialog. */
export interface InDialogRequest extends ServiceRequest {
  /** Our own Route values that it came by, top first: with the user parts that recordRoute() was given. */
  readonly routes: readonly Uri[];
}

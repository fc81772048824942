import type { SipMessage, Uri } from "@ims/sip";
import type { ServerHost } from "./server-host.ts";
import type { InDialogRequest, InitialRequest } from "./service-request.ts";

/**
 * The interface between the S-CSCF's process and application servers that run inside it. Within a version it grows only by what is
 * optional; a module that was written for another version is refused with both numbers.
 */
export const INTERFACE_VERSION = 1;

/** What the file of an application server exports by default. */
export interface ApplicationServerModule {
  readonly interfaceVersion: typeof INTERFACE_VERSION;
  /** Filter criteria name it `sip:<name>.<home domain>`: letters in lower case, digits, hyphens; 1 to 32 of them. */
  readonly name: string;
  /**
   * Called once, before the first request. When the settings will not do: throw, or reject, with an Error whose message tells the operator
   * which one and why; sprout does not start then.
   */
  create(host: ServerHost): ApplicationServer | Promise<ApplicationServer>;
}

/**
 * An application server on ISC that is a proxy or a redirecting server (TS 24.229 §5.7.3, §5.7.4). What a method throws or rejects with, and a
 * request with which nothing is done in time, is the default handling of the filter criterion; nothing of it ends the process.
 */
export interface ApplicationServer {
  /** Initial requests and standalone transactions of a served user, but for REGISTER. Must come to a forward() or a respond(). */
  onInitialRequest(request: InitialRequest): void | Promise<void>;
  /**
   * Requests inside a dialog in whose path recordRoute() has put this server; also those that another member of the pool has begun.
   * Must come to a forward() or a respond(). Default: forward().
   */
  onInDialogRequest?(request: InDialogRequest): void | Promise<void>;
  /** ACK of a 2xx inside such a dialog, on its way; it goes on when this returns. */
  onAck?(ack: InDialogAck): void;
  /** Third-party REGISTER (TS 24.229 §5.7.1.1). Who rejects answers 500: the default handling of the criterion. */
  onRegistration?(registration: ThirdPartyRegistration): void | Promise<void>;
  /** The process ends, once nothing is in progress any more. Waited for briefly. */
  stop?(): void | Promise<void>;
}

export interface InDialogAck {
  /** As it came; never edit it. */
  readonly request: SipMessage;
  /** What goes on; may be edited. */
  readonly forwarded: SipMessage;
  /** Our own Route values that it came by, top first. */
  readonly routes: readonly Uri[];
}

export interface ThirdPartyRegistration {
  /** From the S-CSCF; its body has what the filter criterion asks for. Never edit it. */
  readonly request: SipMessage;
  /** Who is registered, canonical; undefined when the To header field says nobody. */
  readonly impu: string | undefined;
  /** s; 0: not registered any more. */
  readonly expires: number;
}

import type { Clock } from "@ims/runtime";
import type { Own, SipMessage } from "@ims/sip";

/** What a hosted request knows of its server, and tells of it. */
export interface Hosting {
  readonly name: string;
  readonly own: Own;
  /** By which the server names itself. */
  readonly uri: string;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  /** How long it may do nothing with a request, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  acted(): void;
  late(request: SipMessage): void;
  failed(error: unknown, request: SipMessage): void;
}

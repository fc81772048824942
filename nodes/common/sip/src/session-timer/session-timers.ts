import type { SipMessage } from "../message/message.ts";
import { decimal } from "../message/values.ts";

/** RFC 4028 §4, §5: no session interval is shorter, s. */
export const LEAST_SESSION_INTERVAL = 90;

/** What a proxy wants of session timers, s. */
export interface SessionTimerOptions {
  /** Interval that is asked for where the caller asks for none; 0: none is. */
  readonly sessionExpires: number;
  /** Longer ones are cut to this; 0: none are. */
  readonly maxSessionExpires: number;
  /** Shorter ones are refused or raised; 0: what RFC 4028 allows is. */
  readonly minSessionExpires: number;
}

/** What becomes of one request that begins or refreshes a session. */
export type SessionInterval =
  | {
      readonly kind: "refused";
      /** Makes the 422 (Session Interval Too Small) say what would do. */
      edit(response: SipMessage): void;
    }
  | {
      readonly kind: "timed";
      /** Makes the request on its way out say what the proxy wants. */
      edit(forwarded: SipMessage): void;
      /** Any response on its way back. */
      answer(response: SipMessage): void;
    };

/** Undefined when no option asks for anything: nothing is looked at then. */
export function sessionTimers(options: SessionTimerOptions): SessionTimers | undefined {
  const { sessionExpires, maxSessionExpires, minSessionExpires } = options;
  return sessionExpires + maxSessionExpires + minSessionExpires === 0
    ? undefined
    : new SessionTimers(options);
}

/** Session timers at a proxy: RFC 4028 §8. It keeps nothing beyond the transaction; who refreshes is the UAs' affair. */
export class SessionTimers {
  readonly #asked: number;
  readonly #longest: number;
  readonly #shortest: number;

  constructor({ sessionExpires, maxSessionExpires, minSessionExpires }: SessionTimerOptions) {
    this.#asked = sessionExpires;
    this.#shortest = Math.max(LEAST_SESSION_INTERVAL, minSessionExpires);
    this.#longest =
      maxSessionExpires === 0 ? Number.POSITIVE_INFINITY : Math.max(this.#shortest, maxSessionExpires);
  }

  /** Undefined when there is nothing to do about the request. */
  of(request: SipMessage): SessionInterval | undefined {
    const { method } = request;
    if (method !== "INVITE" && method !== "UPDATE") return undefined;
    const present = request.header("Session-Expires");
    // An UPDATE may be one of an early dialog, which has no timer yet: it is asked for nothing.
    if (present === undefined) return method === "INVITE" && this.#asked > 0 ? this.#ask(request) : undefined;
    const seconds = secondsOf(present);
    return seconds === undefined ? undefined : this.#judge(request, present, seconds);
  }

  /** §8.1, no Session-Expires: one is inserted, without a refresher and not below the Min-SE of the request. */
  #ask(request: SipMessage): SessionInterval {
    const preferred = Math.min(this.#longest, Math.max(this.#asked, this.#shortest));
    const seconds = Math.max(preferred, leastOf(request));
    return timed(request, seconds, (forwarded) => void forwarded.append("Session-Expires", String(seconds)));
  }

  /** §8.1, with Session-Expires: shortened, or found too short. */
  #judge(request: SipMessage, present: string, seconds: number): SessionInterval {
    if (seconds < this.#shortest) {
      if (supportsTimer(request))
        return { kind: "refused", edit: (response) => void response.set("Min-SE", String(this.#shortest)) };
      // The caller would not understand a 422: Min-SE and the interval are raised. Only here may a proxy write Min-SE.
      const least = Math.max(this.#shortest, leastOf(request));
      return timed(request, least, (forwarded) => {
        forwarded.set("Min-SE", String(least)).set("Session-Expires", withSeconds(present, least));
      });
    }
    const cut = Math.max(this.#longest, leastOf(request));
    if (seconds <= cut) return timed(request, seconds, unchanged);
    return timed(
      request,
      cut,
      (forwarded) => void forwarded.set("Session-Expires", withSeconds(present, cut)),
    );
  }
}

/** §8.2: the callee knows no session timer, the caller does: he refreshes, at the interval that went to the callee. */
function timed(
  request: SipMessage,
  seconds: number,
  edit: (forwarded: SipMessage) => void,
): SessionInterval & { readonly kind: "timed" } {
  const isFinal = ({ status }: SipMessage): boolean => status >= 200 && status < 300;
  const answer = (response: SipMessage): void => {
    if (!isFinal(response) || response.has("Session-Expires") || !supportsTimer(request)) return;
    response.append("Session-Expires", `${seconds};refresher=uac`);
    if (!hasTimer(response.values("Require"))) response.append("Require", "timer");
  };
  return { kind: "timed", edit, answer };
}

const unchanged = (): void => undefined;

function supportsTimer(request: SipMessage): boolean {
  return hasTimer(request.values("Supported"));
}

function hasTimer(tags: readonly string[]): boolean {
  return tags.some((tag) => tag.toLowerCase() === "timer");
}

/** Least interval that those before us allow: Min-SE, else 90 s. */
function leastOf(request: SipMessage): number {
  const minSe = request.header("Min-SE");
  return Math.max(LEAST_SESSION_INTERVAL, minSe === undefined ? 0 : (secondsOf(minSe) ?? 0));
}

/** delta-seconds before any parameter; undefined when it is no number. */
function secondsOf(value: string): number | undefined {
  const semicolon = value.indexOf(";");
  return decimal((semicolon < 0 ? value : value.slice(0, semicolon)).trim());
}

/** The refresher and whatever else it says stays. */
function withSeconds(value: string, seconds: number): string {
  const semicolon = value.indexOf(";");
  return semicolon < 0 ? String(seconds) : `${seconds}${value.slice(semicolon)}`;
}

import type { Clock, Timer } from "@ims/runtime";
import { type OriginatedHandler, parseUri, type RequestOriginator, SipMessage } from "@ims/sip";

/** Pauses between polls of an application server that is away, ms. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
/** One that nobody has wanted for so long is not polled any more, ms. */
const UNWANTED_MS = 60_000;
const MAX_AWAY = 1_000;
/** Who fails again and again is told of so often, ms. */
const TOLD_EVERY_MS = 60_000;

export interface ApplicationServersModules {
  readonly clock: Clock;
  readonly originate: RequestOriginator["originate"];
  readonly identifiers: () => string;
  /** Our own URI, the From of polls. */
  readonly scscfUri: string;
  readonly side: string;
  /** Told when one goes away or is back. */
  readonly onChange?: (serverName: string, state: "away" | "back") => void;
  /** Told of one that cannot be reached or refuses to work, once a minute. `status`: what came, from it or in its place. */
  readonly onFailure?: (serverName: string, status: number) => void;
}

interface Away {
  pause: number;
  wantedAt: number;
  timer: Timer | undefined;
}

/**
 * Which application servers are not to be waited for: who has said nothing to a request in the time given is passed over at once,
 * while it is polled with OPTIONS (RFC 3261 §11). Any answer, to a poll or to anything else, and it is used again.
 */
export class ApplicationServers {
  readonly #modules: ApplicationServersModules;
  readonly #away = new Map<string, Away>();
  /** When a failure was told of last. */
  readonly #told = new Map<string, number>();

  constructor(modules: ApplicationServersModules) {
    this.#modules = modules;
  }

  /** Names of those that are away. */
  get away(): readonly string[] {
    return [...this.#away.keys()];
  }

  isAway(serverName: string): boolean {
    if (this.#away.size === 0) return false;
    const away = this.#away.get(serverName);
    if (away === undefined) return false;
    away.wantedAt = this.#modules.clock.monotonic();
    return true;
  }

  /** It has not answered in time. */
  silent(serverName: string): void {
    if (this.#away.has(serverName) || this.#away.size >= MAX_AWAY) return;
    const away = { pause: FIRST_PAUSE_MS, wantedAt: this.#modules.clock.monotonic(), timer: undefined };
    this.#away.set(serverName, away);
    this.#modules.onChange?.(serverName, "away");
    this.#poll(serverName, away);
  }

  /** It calls for the default handling. */
  failed(serverName: string, status: number): void {
    const { clock, onFailure } = this.#modules;
    const now = clock.monotonic();
    const told = this.#told.get(serverName);
    if (told !== undefined && now - told < TOLD_EVERY_MS) return;
    if (this.#told.size >= MAX_AWAY) this.#told.clear();
    this.#told.set(serverName, now);
    onFailure?.(serverName, status);
  }

  /** It has answered something. */
  heard(serverName: string): void {
    if (this.#away.size === 0) return;
    const away = this.#away.get(serverName);
    if (away === undefined) return;
    away.timer?.cancel();
    this.#away.delete(serverName);
    this.#modules.onChange?.(serverName, "back");
  }

  /** Nobody is polled any more. */
  stop(): void {
    for (const { timer } of this.#away.values()) timer?.cancel();
    this.#away.clear();
  }

  #poll(serverName: string, away: Away): void {
    const { clock, originate, identifiers, scscfUri, side } = this.#modules;
    const uri = parseUri(serverName);
    if (uri === undefined || this.#away.get(serverName) !== away) return;
    if (clock.monotonic() - away.wantedAt > UNWANTED_MS) {
      this.#away.delete(serverName);
      return;
    }
    const poll = SipMessage.request("OPTIONS", serverName)
      .append("From", `<${scscfUri}>;tag=${identifiers()}`)
      .append("To", `<${serverName}>`)
      .append("Call-ID", identifiers())
      .append("CSeq", "1 OPTIONS");
    const handler: OriginatedHandler = {
      onFinal: (_response, local) => {
        if (this.#away.get(serverName) !== away) return;
        if (!local) return this.heard(serverName);
        away.timer = clock.setTimer(away.pause, () => this.#poll(serverName, away));
        away.pause = Math.min(away.pause * 2, LONGEST_PAUSE_MS);
      },
    };
    originate(poll, { kind: "uri", side, uri }, handler);
  }
}

import type { Clock } from "@ims/runtime";
import type { UserAuthorization } from "../cx/cx.ts";

/** A UE answers a challenge within this time or is looked up again. */
const KEPT_MS = 10_000;
const MAX_ENTRIES = 50_000;

/**
 * The S-CSCF of a REGISTER that was challenged, for the one that answers the challenge. Memory is an optimisation:
 * in another process, later, or for other identities the HSS is asked as always.
 * Deviates from TS 24.229 §5.3.1.2, which asks for each REGISTER; saves one of four Cx round trips of a registration.
 */
export class Challenged {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly until: number; readonly serverName: string }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(callId: string, query: UserAuthorization, serverName: string): void {
    const now = this.#clock.monotonic();
    // Oldest first: Map keeps the order of insertion and all live equally long.
    for (const [key, { until }] of this.#kept) {
      if (until > now && this.#kept.size < MAX_ENTRIES) break;
      this.#kept.delete(key);
    }
    this.#kept.set(keyOf(callId, query), { until: now + KEPT_MS, serverName });
  }

  /** Once. */
  take(callId: string, query: UserAuthorization): string | undefined {
    const key = keyOf(callId, query);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    return kept.until > this.#clock.monotonic() ? kept.serverName : undefined;
  }
}

function keyOf(callId: string, { impi, impu, visitedNetwork, type, emergency }: UserAuthorization): string {
  return `${callId}\n${impi}\n${impu}\n${visitedNetwork}\n${type}\n${emergency === true}`;
}

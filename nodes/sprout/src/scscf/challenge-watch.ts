import type { Clock, Timer } from "@ims/runtime";
import type { Cx } from "../cx/cx.ts";
import { CHALLENGE_SECONDS, type ImpiStore } from "../store/impi-store.ts";
import type { RegistrationStore } from "../store/registration-store.ts";

interface Pending {
  readonly impi: string;
  readonly nonce: string;
  readonly dueAt: number;
}

/**
 * Initial registrations challenged here and not answered (TS 24.229 §5.4.1.2.3: timer reg-await-auth). When one runs
 * out the HSS is told, so that it forgets the pending authentication. One timer for all: they fall due in order.
 */
export class ChallengeWatch {
  readonly #pending = new Map<string, Pending>();
  readonly #modules: {
    readonly cx: Cx;
    readonly clock: Clock;
    readonly challenges: ImpiStore;
    readonly registrations: RegistrationStore;
    readonly serverName: string;
    readonly timedOut: () => void;
  };
  #timer: Timer | undefined;

  constructor(modules: {
    readonly cx: Cx;
    readonly clock: Clock;
    readonly challenges: ImpiStore;
    readonly registrations: RegistrationStore;
    readonly serverName: string;
    /** A user who is not registered has not come back in time. */
    readonly timedOut: () => void;
  }) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#pending.size;
  }

  watch(impi: string, nonce: string): void {
    const dueAt = this.#modules.clock.monotonic() + (CHALLENGE_SECONDS + 1) * 1000;
    this.#pending.set(nonce, { impi, nonce, dueAt });
    this.#arm();
  }

  answered(nonce: string): void {
    this.#pending.delete(nonce);
  }

  /** What is pending is forgotten here; it lapses in the store. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pending.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const first = this.#pending.values().next();
    if (first.done) return;
    const { clock } = this.#modules;
    this.#timer = clock.setTimer(Math.max(0, first.value.dueAt - clock.monotonic()), () => {
      this.#timer = undefined;
      this.#expire();
      this.#arm();
    });
  }

  #expire(): void {
    const now = this.#modules.clock.monotonic();
    for (const pending of this.#pending.values()) {
      if (pending.dueAt > now) return;
      this.#pending.delete(pending.nonce);
      // A store or an HSS that is away loses nothing but the early release of the pending state.
      this.#timeOut(pending).catch(() => {});
    }
  }

  async #timeOut({ impi, nonce }: Pending): Promise<void> {
    const { cx, challenges, registrations, serverName, timedOut } = this.#modules;
    const found = await challenges.lookAt(impi, nonce);
    // Answered at another member of the pool, or gone.
    if (found.kind !== "challenge" || found.challenge.nc > 0) return;
    const { impu } = found.challenge;
    await challenges.remove(impi, nonce);
    const registration = await registrations.find(impu);
    if (registration.kind !== "notFound") return;
    timedOut();
    await cx.serverAssignment({
      type: "AUTHENTICATION_TIMEOUT",
      serverName,
      impi,
      impus: [impu],
      profileKnown: true,
    });
  }
}

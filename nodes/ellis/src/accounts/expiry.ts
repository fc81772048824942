import type { Clock, Logger, Timer } from "@ims/runtime";
import type { Numbers } from "../numbers/numbers.ts";
import { ellisProblems } from "../problems.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import type { Accounts } from "./accounts.ts";

const EVERY_MS = 600_000;

export interface ExpiryModules {
  readonly accounts: Accounts;
  readonly numbers: Pick<Numbers, "removeAll">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ends accounts that were made for some days, with their numbers. Several ellis do no harm to each other. */
export class Expiry {
  readonly #modules: ExpiryModules;
  #timer: Timer | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(modules: ExpiryModules) {
    this.#modules = modules;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#modules.clock.setTimer(EVERY_MS, () => {
      this.#sweeping = this.sweep()
        .catch((error: unknown) =>
          this.#modules.log.error(
            { err: error, problemId: ellisProblems.accountsNotEnded.id },
            "accounts were not ended",
          ),
        )
        .then(() => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  async sweep(): Promise<void> {
    const { accounts, numbers, clock, log } = this.#modules;
    for (const email of await accounts.due(clock.now())) {
      if (this.#stopped) return;
      const account = await accounts.get(email);
      if (account === UNAVAILABLE) return;
      if (account?.expiresAt === undefined || account.expiresAt > clock.now()) continue;
      const removal = await numbers.removeAll(account);
      if (removal.kind === "refused") {
        log.warn(
          { reason: removal.reason, problemId: ellisProblems.accountsNotEnded.id },
          "an account that is over has numbers yet",
        );
        continue;
      }
      if ((await accounts.remove(email)) !== "removed") continue;
      await accounts.settled(email, account.expiresAt);
      log.info({}, "account is over");
    }
  }
}

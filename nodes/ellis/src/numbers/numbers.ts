import { randomUUID } from "node:crypto";
import { canonicalImpu } from "@ims/ims";
import type { Clock, Logger } from "@ims/runtime";
import { type Account, type AccountNumber, numbersOf } from "../accounts/account.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { ellisProblems } from "../problems.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import type { AddressBook } from "./address-book.ts";
import type { NumberPool } from "./number-pool.ts";
import type { AddResult, Provisioning } from "./provisioning.ts";

/** Why a number is not given, changed or taken back: an HTTP status and a reason. */
export interface Refused {
  readonly kind: "refused";
  readonly status: 400 | 404 | 409 | 502 | 503;
  readonly reason: string;
}

export type Allocation =
  /** `password`: of the private identity, when that is new. */
  | { readonly kind: "allocated"; readonly number: AccountNumber; readonly password: string | undefined }
  | Refused;

export interface NumbersModules {
  readonly accounts: Accounts;
  readonly pool: NumberPool;
  readonly provisioning: Provisioning;
  readonly addressBook: AddressBook;
  readonly clock: Clock;
  readonly log: Logger;
  readonly homeDomain: string;
  readonly numbersPerAccount: number;
}

/** Whether the account has the number now is not known: the store gave no answer. */
interface Unsettled {
  readonly kind: "unsettled";
}

/** What was begun and not finished by then never will be. */
const PENDING_MS = 600_000;
/** Numbers that are somebody's although the pool has them free: provisioned by other means. */
const TRIES = 10;

const storeAway: Refused = {
  kind: "refused",
  status: 503,
  reason: "The accounts cannot be read or written now",
};
const noAccount: Refused = { kind: "refused", status: 404, reason: "User not found." };
const inUse: Refused = { kind: "refused", status: 409, reason: "The number is in use" };
const upstream = (problem: string): Refused => ({
  kind: "refused",
  status: 502,
  reason: `Upstream request failed: ${problem.slice(0, 300)}`,
});

/**
 * Gives numbers to accounts and takes them back. A number is claimed in the pool, noted in the account as pending, provisioned, and then
 * the account's; back the other way round. So whoever dies in between: what an account has is claimed for it and was made for it, and
 * nobody can do anything with what is somebody else's in homestead. A claim is given up only when the account is known not to have the number.
 */
export class Numbers {
  readonly #modules: NumbersModules;

  constructor(modules: NumbersModules) {
    this.#modules = modules;
  }

  /** A free number. `privateId`: one that the account has a number with, or undefined for a new one. */
  async allocate(email: string, pstn: boolean, privateId: string | undefined): Promise<Allocation> {
    const { pool, homeDomain } = this.#modules;
    const tried = new Set<string>();
    while (tried.size < TRIES) {
      const taken = await pool.take(email, { pstn, not: tried });
      if (taken === UNAVAILABLE) return storeAway;
      if (taken === "none") break;
      const uri = `sip:${taken.number}@${homeDomain}`;
      const result = await this.#provide(email, uri, { privateId, isNew: privateId === undefined, pstn });
      if (result.kind === "allocated") return result;
      if (result.kind === "unsettled") return storeAway;
      await pool.release(email, taken.number);
      if (result.status !== 409) return result;
      tried.add(taken.number);
    }
    return { kind: "refused", status: 503, reason: "No available numbers" };
  }

  /** That very SIP URI, for operators. */
  async provide(
    email: string,
    given: string,
    { privateId, isNew }: { readonly privateId: string | undefined; readonly isNew: boolean },
  ): Promise<Allocation> {
    const uri = canonicalImpu(given);
    const [, user, domain] = /^sip:([^@]+)@(.+)$/.exec(uri ?? "") ?? [];
    if (uri === undefined || user === undefined || domain !== this.#modules.homeDomain)
      return {
        kind: "refused",
        status: 400,
        reason: `A number is a SIP URI of ${this.#modules.homeDomain}`,
      };
    const claimed = await this.#modules.pool.claim(email, user);
    if (claimed === UNAVAILABLE) return storeAway;
    if (claimed === "inUse") return inUse;
    const pstn = user.startsWith("+");
    const result = await this.#provide(email, uri, { privateId, isNew, pstn });
    if (result.kind === "unsettled") return storeAway;
    if (result.kind === "refused") await this.#modules.pool.release(email, user);
    return result;
  }

  async remove(email: string, number: AccountNumber): Promise<{ readonly kind: "removed" } | Refused> {
    const { provisioning, log } = this.#modules;
    const result = await provisioning.remove(number.privateId, number.uri);
    if (result.kind === "isDefault")
      return {
        kind: "refused",
        status: 409,
        reason: `Delete the other numbers of ${number.privateId} first: ${result.others.join(", ")}`.slice(
          0,
          500,
        ),
      };
    if (result.kind !== "removed")
      return upstream("problem" in result ? result.problem : "the number is being changed by others");
    if ((await this.#forget(email, number)) === UNAVAILABLE) return storeAway;
    log.info({ uri: number.uri }, "number given back");
    return { kind: "removed" };
  }

  /** All numbers of an account, the last one first: the first one of a private identity is what others depend on. */
  async removeAll(account: Account): Promise<{ readonly kind: "removed" } | Refused> {
    for (const number of numbersOf(account).toReversed()) {
      const result = await this.remove(account.email, number);
      if (result.kind === "refused") return result;
    }
    return { kind: "removed" };
  }

  /** Whether others see the number in the address book. */
  async list(email: string, uri: string, listed: boolean): Promise<{ readonly kind: "listed" } | Refused> {
    const { accounts, addressBook } = this.#modules;
    const after = await accounts.change(email, (before) => ({
      ...before,
      numbers: before.numbers.map((each) => (each.uri === uri ? { ...each, listed } : each)),
    }));
    if (after === UNAVAILABLE) return storeAway;
    if (after === undefined) return noAccount;
    const followed = await addressBook.follow(after);
    if (followed === "full") return { kind: "refused", status: 503, reason: "The address book is full" };
    return followed === UNAVAILABLE ? storeAway : { kind: "listed" };
  }

  async #provide(
    email: string,
    uri: string,
    {
      privateId,
      isNew,
      pstn,
    }: { readonly privateId: string | undefined; readonly isNew: boolean; readonly pstn: boolean },
  ): Promise<Allocation | Unsettled> {
    const { provisioning, log } = this.#modules;
    const id = randomUUID().replaceAll("-", "");
    const number = { id, uri, privateId: privateId ?? uri.slice("sip:".length), pstn, listed: false };
    const noted = await this.#note(email, number);
    if (noted !== "noted") return noted;
    const added = isNew
      ? await provisioning.addWithPrivateId(number.privateId, uri)
      : await provisioning.addToPrivateId(number.privateId, uri);
    const about = { uri, impi: number.privateId };
    if (added.kind !== "added") {
      // What homestead has done when it gave no answer is not known. It is not undone: the subscriber may be somebody else's.
      if (added.kind === "upstream")
        log.warn(
          { ...about, problem: added.problem, problemId: ellisProblems.numberUnsettled.id },
          "homestead may have a number that no account has",
        );
      await this.#drop(email, id);
      return refusalOf(added);
    }
    const settled = await this.#settle(email, number);
    if (settled === UNAVAILABLE) {
      log.warn(
        { ...about, problemId: ellisProblems.numberUnsettled.id },
        "homestead has a number that its account may not have",
      );
      return { kind: "unsettled" };
    }
    if (settled === "gone") {
      await provisioning.remove(number.privateId, uri);
      return noAccount;
    }
    log.info(about, "number given");
    return { kind: "allocated", number, password: added.password };
  }

  async #note(email: string, number: AccountNumber): Promise<"noted" | Refused> {
    const { accounts, numbersPerAccount, clock } = this.#modules;
    const now = clock.now();
    let problem: Refused | undefined;
    const account = await accounts.change(email, (before) => {
      const numbers = before.numbers.filter(({ pendingSince = now }) => pendingSince > now - PENDING_MS);
      problem =
        numbers.length >= numbersPerAccount
          ? {
              kind: "refused",
              status: 400,
              reason: `An account has ${numbersPerAccount} numbers at most`,
            }
          : numbers.some(({ uri }) => uri === number.uri)
            ? inUse
            : undefined;
      return problem === undefined
        ? { ...before, numbers: [...numbers, { ...number, pendingSince: now }] }
        : "keep";
    });
    if (account === UNAVAILABLE) return storeAway;
    return account === undefined ? noAccount : (problem ?? "noted");
  }

  async #settle(email: string, number: AccountNumber): Promise<"settled" | "gone" | typeof UNAVAILABLE> {
    let isThere = false;
    const account = await this.#modules.accounts.change(email, (before) => {
      isThere = before.numbers.some(({ id }) => id === number.id);
      if (!isThere) return "keep";
      return { ...before, numbers: before.numbers.map((each) => (each.id === number.id ? number : each)) };
    });
    if (account === UNAVAILABLE) return UNAVAILABLE;
    return account !== undefined && isThere ? "settled" : "gone";
  }

  #drop(email: string, id: string): Promise<Account | undefined | typeof UNAVAILABLE> {
    return this.#modules.accounts.change(email, (before) => ({
      ...before,
      numbers: before.numbers.filter((each) => each.id !== id),
    }));
  }

  async #forget(email: string, number: AccountNumber): Promise<"forgotten" | typeof UNAVAILABLE> {
    const { pool, addressBook } = this.#modules;
    const after = await this.#drop(email, number.id);
    if (after === UNAVAILABLE) return UNAVAILABLE;
    const [, user = ""] = /^sip:([^@]+)@/.exec(number.uri) ?? [];
    if ((await pool.release(email, user)) === UNAVAILABLE) return UNAVAILABLE;
    if (after !== undefined && number.listed && (await addressBook.follow(after)) === UNAVAILABLE)
      return UNAVAILABLE;
    return "forgotten";
  }
}

function refusalOf(result: Exclude<AddResult, { readonly kind: "added" }>): Refused {
  switch (result.kind) {
    case "inUse":
      return inUse;
    case "unknown":
      return { kind: "refused", status: 404, reason: "There is no such private identity" };
    case "refused":
      return { kind: "refused", status: 400, reason: result.problem.slice(0, 500) };
    case "upstream":
      return upstream(result.problem);
  }
}

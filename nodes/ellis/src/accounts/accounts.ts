import type { KvStore } from "@ims/store";
import { z } from "zod";
import { Documents, UNAVAILABLE, type Unavailable } from "../store/documents.ts";
import { type Account, accountSchema, numbersOf } from "./account.ts";

const DAY_MS = 86_400_000;
/** Days that a sweep looks back: ellis may have been away. */
const LOOK_BACK_DAYS = 30;
/** Accounts that may end on one day: what fits into a document. */
const MAX_A_DAY = 200;

const dueSchema = z.array(z.string());

/** Accounts by e-mail address. */
export class Accounts {
  readonly #accounts: Documents<typeof accountSchema>;
  readonly #due: Documents<typeof dueSchema>;

  constructor(store: KvStore) {
    this.#accounts = new Documents(store, "ellis-account", accountSchema);
    this.#due = new Documents(store, "ellis-account-end", dueSchema);
  }

  get(email: string): Promise<Account | undefined | Unavailable> {
    return this.#accounts.get(email);
  }

  async create(account: Account): Promise<"created" | "exists" | "tooMany" | Unavailable> {
    if (account.expiresAt !== undefined) {
      const noted = await this.#note(account.email, account.expiresAt);
      if (noted !== "noted") return noted;
    }
    const result = await this.#accounts.change(account.email, (before) =>
      before === undefined ? account : "keep",
    );
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return result === "changed" ? "created" : "exists";
  }

  /** The account as it is afterwards; undefined: there is none. `change` gives "keep" for no change. */
  async change(
    email: string,
    change: (before: Account) => Omit<Account, "revision"> | "keep",
  ): Promise<Account | undefined | Unavailable> {
    let account: Account | undefined;
    const result = await this.#accounts.change(email, (before) => {
      account = before;
      if (before === undefined) return "keep";
      const after = change(before);
      if (after === "keep") return "keep";
      account = { ...after, revision: before.revision + 1 };
      return account;
    });
    return result === UNAVAILABLE ? UNAVAILABLE : account;
  }

  /** Goes only while it has no numbers; one that is being given finds the account gone. */
  async remove(email: string): Promise<"removed" | "hasNumbers" | Unavailable> {
    let hasNumbers = false;
    const result = await this.#accounts.change(email, (before) => {
      hasNumbers = before !== undefined && numbersOf(before).length > 0;
      return hasNumbers ? "keep" : undefined;
    });
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return hasNumbers ? "hasNumbers" : "removed";
  }

  /** Addresses whose accounts were to end by then, most of them over. */
  async due(now: number): Promise<readonly string[]> {
    const today = Math.floor(now / DAY_MS);
    const due: string[] = [];
    for (let day = today - LOOK_BACK_DAYS; day <= today; day++) {
      const emails = await this.#due.get(String(day));
      if (emails !== undefined && emails !== UNAVAILABLE) due.push(...emails);
    }
    return due;
  }

  /** What was due is done. */
  async settled(email: string, expiresAt: number): Promise<void> {
    await this.#due.change(dayOf(expiresAt), (before) => {
      if (before === undefined || !before.includes(email)) return "keep";
      const after = before.filter((each) => each !== email);
      return after.length === 0 ? undefined : after;
    });
  }

  async #note(email: string, expiresAt: number): Promise<"noted" | "tooMany" | Unavailable> {
    let tooMany = false;
    const result = await this.#due.change(dayOf(expiresAt), (before = []) => {
      if (before.includes(email)) return "keep";
      tooMany = before.length >= MAX_A_DAY;
      return tooMany ? "keep" : [...before, email];
    });
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return tooMany ? "tooMany" : "noted";
  }
}

function dayOf(time: number): string {
  return String(Math.floor(time / DAY_MS));
}

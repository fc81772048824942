import { randomBytes } from "node:crypto";
import type { Clock } from "@ims/runtime";
import type { KvStore } from "@ims/store";
import { z } from "zod";
import { type Account, emailOf } from "../accounts/account.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { BUSY, type Busy, type Passwords } from "../accounts/password.ts";
import { newSessions } from "../accounts/session.ts";
import { Documents, UNAVAILABLE, type Unavailable } from "../store/documents.ts";
import type { StaffRole } from "./role.ts";

export interface StaffAccount {
  readonly email: string;
  readonly fullName: string;
  readonly role: StaffRole;
}

export interface NewStaffAccount extends StaffAccount {
  /** Undefined: one is made. */
  readonly password: string | undefined;
  /** A user of that name becomes staff. */
  readonly existing: boolean;
}

export type AddStaffResult =
  /** `password`: one that was made. */
  | { readonly kind: "added"; readonly account: StaffAccount; readonly password: string | undefined }
  | { readonly kind: "noEmail" | "exists" | "isStaff" | "tooMany" }
  | Unavailable
  | Busy;

export type ChangeStaffResult =
  | { readonly kind: "changed"; readonly account: StaffAccount; readonly password: string | undefined }
  | { readonly kind: "unknown" }
  | Unavailable
  | Busy;

export interface StaffAccountsModules {
  readonly store: KvStore;
  readonly accounts: Accounts;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

/** What fits into a document. */
const MAX_STAFF = 200;
const indexSchema = z.array(z.string());

/** Accounts with a role. Who is staff is said by the account; an index tells whom to look at. */
export class StaffAccounts {
  readonly #modules: StaffAccountsModules;
  readonly #index: Documents<typeof indexSchema>;

  constructor(modules: StaffAccountsModules) {
    this.#modules = modules;
    this.#index = new Documents(modules.store, "ellis-staff", indexSchema);
  }

  async list(): Promise<readonly StaffAccount[] | Unavailable> {
    const emails = await this.#index.get("staff");
    if (emails === UNAVAILABLE) return UNAVAILABLE;
    const staff: StaffAccount[] = [];
    for (const email of (emails ?? []).toSorted()) {
      const account = await this.#modules.accounts.get(email);
      if (account === UNAVAILABLE) return UNAVAILABLE;
      const one = account && staffAccountOf(account);
      if (one !== undefined) staff.push(one);
    }
    return staff;
  }

  /** The index first: nobody is staff and not in the list. A user who becomes staff gets a new password, for whoever made the account may not be who is meant. */
  async add({ role, fullName, existing, ...given }: NewStaffAccount): Promise<AddStaffResult> {
    const { accounts, passwords, clock } = this.#modules;
    const email = emailOf(given.email);
    if (email === undefined) return { kind: "noEmail" };
    const made = given.password === undefined ? madePassword() : undefined;
    const password = await passwords.hash(given.password ?? made ?? "");
    if (password === BUSY) return BUSY;
    const before = await accounts.get(email);
    if (before === UNAVAILABLE) return UNAVAILABLE;
    if (before?.role !== undefined) return { kind: "isStaff" };
    if (before !== undefined && !existing) return { kind: "exists" };
    const noted = await this.#note(email);
    if (noted !== "noted") return noted === UNAVAILABLE ? noted : { kind: "tooMany" };
    const sessions = newSessions();
    if (before === undefined) {
      const account: Account = {
        ...{ email, fullName, password, ...sessions, role, createdAt: clock.now() },
        ...{ recoveries: [], numbers: [], revision: 0 },
      };
      const created = await accounts.create(account);
      if (created === UNAVAILABLE) return UNAVAILABLE;
      if (created !== "created") return { kind: "exists" };
      return { kind: "added", account: { email, fullName, role }, password: made };
    }
    const after = await accounts.change(email, ({ expiresAt: _, ...known }) => ({
      ...{ ...known, password, ...sessions, role, recoveries: [] },
      fullName: fullName === "" ? known.fullName : fullName,
    }));
    if (after === UNAVAILABLE) return UNAVAILABLE;
    if (after === undefined) return { kind: "exists" };
    return { kind: "added", account: { email, fullName: after.fullName, role }, password: made };
  }

  /** Another role, or a new password that ends all sessions. */
  async change(
    given: string,
    { role, newPassword }: { readonly role: StaffRole | undefined; readonly newPassword: boolean },
  ): Promise<ChangeStaffResult> {
    const made = newPassword ? madePassword() : undefined;
    const password = made === undefined ? undefined : await this.#modules.passwords.hash(made);
    if (password === BUSY) return BUSY;
    const after = await this.#change(given, (before) => ({
      ...before,
      role: role ?? before.role,
      ...(password === undefined ? {} : { password, ...newSessions(), recoveries: [] }),
    }));
    if (after === UNAVAILABLE) return UNAVAILABLE;
    return after === undefined ? { kind: "unknown" } : { kind: "changed", account: after, password: made };
  }

  /** His account goes, or is a user's again when it has numbers; sessions end. */
  async remove(given: string): Promise<"removed" | "unknown" | Unavailable> {
    const after = await this.#change(given, ({ role: _, ...before }) => ({
      ...before,
      ...newSessions(),
    }));
    const email = emailOf(given);
    if (after === UNAVAILABLE) return UNAVAILABLE;
    if (after === undefined || email === undefined) return "unknown";
    if ((await this.#modules.accounts.remove(email)) === UNAVAILABLE) return UNAVAILABLE;
    const result = await this.#index.change("staff", (before = []) =>
      before.filter((each) => each !== email),
    );
    return result === UNAVAILABLE ? UNAVAILABLE : "removed";
  }

  /** As the account was before that was staff's; undefined: it is not. */
  async #change(
    given: string,
    change: (before: Account) => Omit<Account, "revision">,
  ): Promise<StaffAccount | undefined | Unavailable> {
    const email = emailOf(given);
    let changed: StaffAccount | undefined;
    if (email === undefined) return undefined;
    const after = await this.#modules.accounts.change(email, (before) => {
      changed = staffAccountOf(before);
      if (changed === undefined) return "keep";
      const account = change(before);
      changed = staffAccountOf({ ...account, revision: 0 }) ?? changed;
      return account;
    });
    return after === UNAVAILABLE ? UNAVAILABLE : changed;
  }

  async #note(email: string): Promise<"noted" | "tooMany" | Unavailable> {
    let tooMany = false;
    const result = await this.#index.change("staff", (before = []) => {
      if (before.includes(email)) return "keep";
      tooMany = before.length >= MAX_STAFF;
      return tooMany ? "keep" : [...before, email];
    });
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return tooMany ? "tooMany" : "noted";
  }
}

function staffAccountOf({ email, fullName, role }: Account): StaffAccount | undefined {
  return role === undefined ? undefined : { email, fullName, role };
}

function madePassword(): string {
  return randomBytes(15).toString("base64url");
}

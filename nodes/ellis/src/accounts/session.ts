import { createHmac, timingSafeEqual } from "node:crypto";
import type { Account } from "./account.ts";

/** What a session cookie says, not yet believed. */
export interface Claim {
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly mac: string;
}

/** Sessions without a store: the cookie names the account and its end, signed with the key of the pool and that of the account. */
export class Sessions {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  /** Value of the cookie. */
  seal(account: Account, until: number): string {
    const name = Buffer.from(account.email).toString("base64url");
    return `${name}.${until}.${this.#mac(account, until)}`;
  }

  holds(claim: Claim, account: Account, now: number): boolean {
    const given = Buffer.from(claim.mac);
    const expected = Buffer.from(this.#mac(account, claim.until));
    return (
      claim.until > now &&
      claim.email === account.email &&
      given.length === expected.length &&
      timingSafeEqual(given, expected)
    );
  }

  #mac({ email, sessionKey }: Account, until: number): string {
    return createHmac("sha256", this.#key).update(`${email}\n${until}\n${sessionKey}`).digest("base64url");
  }
}

/** Reads a cookie's value; undefined when it is none of ours. */
export function claimOf(value: string): Claim | undefined {
  const [, name = "", until = "", mac = ""] =
    /^([A-Za-z0-9_-]{1,400})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})$/.exec(value) ?? [];
  if (name === "") return undefined;
  return { email: Buffer.from(name, "base64url").toString("utf8"), until: Number(until), mac };
}

import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Account } from "./account.ts";

/** What a session cookie says. */
export interface Claim {
  readonly email: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Of the session key that the account had then. */
  readonly generation: string;
}

/** Of one account; with more of them all its sessions end. */
const MOST_ENDED = 64;
const ID_BYTES = 12;

/**
 * Sessions that no store keeps: the cookie names the account, itself and its end, signed with the key of the pool. The account says what does
 * not hold any more: all sessions of another session key, and single ones that were ended; so it is the same at every ellis.
 */
export class Sessions {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  /** Value of the cookie of a new session. */
  seal({ email, sessionKey }: Account, until: number): string {
    const id = randomBytes(ID_BYTES).toString("base64url");
    const claim = { email, id, until, generation: generationOf(sessionKey) };
    const name = Buffer.from(email).toString("base64url");
    return [name, id, until, claim.generation, this.#mac(claim)].join(".");
  }

  /** What a cookie's value says when we have said it and it is not over; no store is asked for others. */
  read(value: string, now: number): Claim | undefined {
    const [, name = "", id = "", end = "", generation = "", mac = ""] =
      /^([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{16})\.([0-9]{1,15})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(
        value,
      ) ?? [];
    const email = Buffer.from(name, "base64url").toString("utf8");
    const claim = { email, id, until: Number(end), generation };
    const isOurs = timingSafeEqual(Buffer.from(mac.padEnd(43)), Buffer.from(this.#mac(claim)));
    return isOurs && claim.until > now ? claim : undefined;
  }

  #mac({ email, id, until, generation }: Claim): string {
    return createHmac("sha256", this.#key)
      .update(`${email}\n${id}\n${until}\n${generation}`)
      .digest("base64url");
  }
}

/** Whether the account lets a session go on. */
export function holds({ email, id, generation }: Claim, account: Account): boolean {
  return (
    email === account.email &&
    generation === generationOf(account.sessionKey) &&
    !account.endedSessions.some((ended) => ended.id === id)
  );
}

/** The account without that session; with too many ended ones to remember, without any. */
export function withoutSession(account: Account, { id, until }: Claim, now: number): Account {
  const others = account.endedSessions.filter((ended) => ended.until > now);
  if (others.length >= MOST_ENDED) return { ...account, ...newSessions() };
  return { ...account, endedSessions: [...others, { id, until }] };
}

/** Of an account none of whose sessions goes on. */
export function newSessions(): Pick<Account, "sessionKey" | "endedSessions"> {
  return { sessionKey: randomBytes(16).toString("base64url"), endedSessions: [] };
}

function generationOf(sessionKey: string): string {
  return hash("sha256", sessionKey, "base64url").slice(0, 22);
}

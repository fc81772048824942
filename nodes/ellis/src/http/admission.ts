import { hash, timingSafeEqual } from "node:crypto";
import type { Clock } from "@ims/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Account, emailOf } from "../accounts/account.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { type Claim, holds, type Sessions } from "../accounts/session.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import type { RateLimits } from "./rate-limits.ts";
import { Refusal, storeAway, tooMany } from "./refusal.ts";

export interface AdmissionModules {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly limits: RateLimits;
  readonly clock: Clock;
  readonly apiKey: string;
  readonly allowedOrigins: readonly string[];
  readonly sessionMs: number;
}

/** Who asks: an operator who has shown the API key, or a user with a session. */
export type Requester = { readonly isOperator: boolean; readonly account: Account | undefined };

const COOKIE = "username";
/** They change nothing. */
export const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Cross-site requests carry our cookies too: only our own pages may change anything. Browsers say where a page is from in Origin, or in
 * Sec-Fetch-Site; programs say neither.
 */
export function refuseForeignPages(request: FastifyRequest, allowedOrigins: readonly string[]): void {
  if (SAFE_METHODS.has(request.method)) return;
  const { origin } = request.headers;
  const site = request.headers["sec-fetch-site"];
  const own = `${request.protocol}://${request.host}`;
  if (origin === undefined ? site === undefined || site === "same-origin" || site === "none" : origin === own)
    return;
  if (origin !== undefined && allowedOrigins.includes(origin)) return;
  throw new Refusal(403, "Not from a page of another site");
}

/** Whether two secrets are the same, without telling how much of them is. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", expected, "buffer"));
}

/** Throws Refusal 403 for who has shown neither key nor session. */
export async function requesterOf(request: FastifyRequest, modules: AdmissionModules): Promise<Requester> {
  const isOperator = showsApiKey(request, modules);
  const account = await sessionOf(request, modules);
  if (isOperator || account !== undefined) return { isOperator, account };
  throw new Refusal(403, "NGV-API-Key header or authentication cookie was missing or incorrect");
}

/** The account that a path names, for its user or an operator. */
export async function accountOf(
  request: FastifyRequest<{ Params: { email: string } }>,
  modules: AdmissionModules,
): Promise<{ readonly account: Account; readonly isOperator: boolean }> {
  const { isOperator, account } = await requesterOf(request, modules);
  const email = emailOf(request.params.email);
  if (account !== undefined && account.email === email) return { account, isOperator };
  if (!isOperator) throw new Refusal(403, "Username doesn't match logged in username.");
  const named = email === undefined ? undefined : await modules.accounts.get(email);
  if (named === UNAVAILABLE) throw storeAway();
  if (named === undefined) throw new Refusal(404, "User not found.");
  return { account: named, isOperator };
}

export function requireOperator(request: FastifyRequest, modules: AdmissionModules): void {
  if (!showsApiKey(request, modules)) throw new Refusal(403, "This is an admin-only operation.");
}

/** The account of the session cookie; undefined without one that holds. */
export async function sessionOf(
  request: FastifyRequest,
  modules: AdmissionModules,
): Promise<Account | undefined> {
  const { accounts, clock } = modules;
  const claim = claimOf(request, modules);
  if (claim === undefined) return undefined;
  const account = await accounts.get(claim.email);
  if (account === UNAVAILABLE) throw storeAway();
  if (account === undefined || isOver(account, clock.now())) return undefined;
  return holds(claim, account) ? account : undefined;
}

/** What the session cookie says; the account may have ended that session. */
export function claimOf(
  request: FastifyRequest,
  { sessions, clock }: Pick<AdmissionModules, "sessions" | "clock">,
): Claim | undefined {
  return sessions.read(cookieOf(request), clock.now());
}

export function isOver({ expiresAt }: Account, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** Undefined ends the session. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  account: Account | undefined,
  { sessions, clock, sessionMs }: AdmissionModules,
): void {
  const until = clock.now() + sessionMs;
  const value = account === undefined ? "" : sessions.seal(account, until);
  const seconds = account === undefined ? 0 : Math.floor(sessionMs / 1_000);
  const secure = request.protocol === "https" ? "; Secure" : "";
  reply.header(
    "set-cookie",
    `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
  );
}

/** Throws Refusal 429 after too many wrong ones. */
export function showsApiKey(request: FastifyRequest, { apiKey, limits }: AdmissionModules): boolean {
  const given = request.headers["ngv-api-key"];
  if (given === undefined) return false;
  if (!limits.guessesFrom.has(request.ip)) throw tooMany(429);
  if (isSameSecret(String(given), apiKey)) return true;
  limits.guessesFrom.take(request.ip);
  return false;
}

function cookieOf(request: FastifyRequest): string {
  const header = request.headers.cookie ?? "";
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === COOKIE)
      return part
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1");
  }
  return "";
}

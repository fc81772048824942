import { hash, randomBytes } from "node:crypto";
import { newAccountSchema, newSessionSchema, ownPasswordSchema } from "@ims/api";
import type { Logger } from "@ims/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Account, emailOf } from "../accounts/account.ts";
import { BUSY, type Passwords } from "../accounts/password.ts";
import { holds, newSessions, withoutSession } from "../accounts/session.ts";
import type { Numbers } from "../numbers/numbers.ts";
import { ellisProblems } from "../problems.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import {
  type AdmissionModules,
  accountOf,
  claimOf,
  isOver,
  isSameSecret,
  sessionOf,
  setCookie,
} from "./admission.ts";
import { bodyOf, type Fields, fieldsOf, mediaTypeOf, queryOf, read } from "./fields.ts";
import { MAILS_AN_HOUR } from "./rate-limits.ts";
import { busy, Refusal, storeAway, tooMany } from "./refusal.ts";
import { redirectOf, succeed } from "./replies.ts";

export interface AccountModules extends AdmissionModules {
  readonly passwords: Passwords;
  readonly numbers: Numbers;
  readonly signupCode: string;
  /** Sends a token that sets a new password; undefined: there is no recovery. */
  readonly mail: ((account: Account, token: string) => Promise<void>) | undefined;
  readonly log: Logger;
}

type Named = { Params: { email: string } };

const DAY_MS = 86_400_000;
const RECOVERY_MS = 3_600_000;
const PASSWORD = newAccountSchema.shape.password;

/** Accounts and sessions: sign up, log in and out, recover a password, leave. */
export function accountRoutes(app: FastifyInstance, modules: AccountModules): void {
  const { accounts, passwords, limits, clock, log, numbers } = modules;

  app.post("/accounts", { config: { resource: "accounts" } }, async (request, reply) => {
    const fields = fieldsOf(request);
    admitNewAccount(request, fields);
    const given = read(newAccountSchema, fields);
    const email = emailOf(given.email);
    if (email === undefined) throw new Refusal(400, "email: this is no e-mail address");
    const password = await passwords.hash(given.password);
    if (password === BUSY) throw busy();
    const now = clock.now();
    const account: Account = {
      email,
      fullName: given.full_name,
      password,
      ...newSessions(),
      createdAt: now,
      ...(given.expires === undefined ? {} : { expiresAt: now + given.expires * DAY_MS }),
      recoveries: [],
      numbers: [],
      revision: 0,
    };
    const result = await accounts.create(account);
    if (result === UNAVAILABLE) throw storeAway();
    if (result === "exists") throw new Refusal(409, "Email already exists");
    if (result === "tooMany") throw new Refusal(409, "Too many accounts end on that day; give other days");
    log.info({ expires: account.expiresAt }, "account made");
    // A form that goes on to a page is logged in.
    if (redirectOf(request, "onsuccess") !== undefined) setCookie(request, reply, account, modules);
    return succeed(request, reply, 201, sessionDocument(account));
  });

  app.delete<Named>("/accounts/:email", { config: { resource: "account" } }, async (request, reply) => {
    const { account } = await accountOf(request, modules);
    if (account.role !== undefined)
      throw new Refusal(409, "This account is staff's; an administrator takes the role first");
    const removal = await numbers.removeAll(account);
    if (removal.kind === "refused") throw new Refusal(removal.status, removal.reason);
    const result = await accounts.remove(account.email);
    if (result === UNAVAILABLE) throw storeAway();
    if (result === "hasNumbers")
      throw new Refusal(409, "The account got another number meanwhile; try again");
    log.info({}, "account deleted");
    return succeed(request, reply, 204);
  });

  app.post("/session", { config: { resource: "session" } }, async (request, reply) => {
    const fields = new Map(fieldsOf(request));
    fields.set("email", fields.get("email") ?? fields.get("username") ?? "");
    const given = read(newSessionSchema, fields);
    const account = await loggedIn(request, given.email, given.password);
    setCookie(request, reply, account, modules);
    return succeed(request, reply, 201, sessionDocument(account));
  });

  app.get("/session", { config: { resource: "session" } }, async (request, reply) => {
    const account = await sessionOf(request, modules);
    if (account === undefined) throw new Refusal(403, "Not logged in");
    return succeed(request, reply, 200, sessionDocument(account));
  });

  app.delete("/session", { config: { resource: "session" } }, async (request, reply) => {
    const claim = claimOf(request, modules);
    // The cookie goes when the session has ended for every copy of it.
    if (claim !== undefined) {
      const after = await accounts.change(claim.email, (before) =>
        holds(claim, before) ? withoutSession(before, claim, clock.now()) : "keep",
      );
      if (after === UNAVAILABLE) throw storeAway();
    }
    setCookie(request, reply, undefined, modules);
    return succeed(request, reply, 204);
  });

  app.post<Named>(
    "/accounts/:email/password",
    { config: { resource: "password" } },
    async (request, reply) => {
      const isText = mediaTypeOf(request) === "text/plain";
      const fields: Fields = isText ? queryOf(request) : fieldsOf(request);
      const email = emailOf(request.params.email);
      const token = request.headers["ngv-recovery-token"]?.toString() ?? fields.get("recovery_token");
      if (token === undefined) await recover(email, request.ip);
      else
        await setRecovered(request, email, token, isText ? bodyOf(request) : (fields.get("password") ?? ""));
      return succeed(request, reply, 200);
    },
  );

  function admitNewAccount(request: FastifyRequest, fields: Fields): void {
    const code = request.headers["ngv-signup-code"]?.toString() ?? fields.get("signup_code") ?? "";
    if (!limits.guessesFrom.has(request.ip)) throw tooMany(429);
    if (!isSameSecret(code, modules.signupCode)) {
      limits.guessesFrom.take(request.ip);
      throw new Refusal(403, "Missing signup code");
    }
    if (!limits.accounts.take(request.ip)) throw tooMany(429);
  }

  async function loggedIn(request: FastifyRequest, name: string, password: string): Promise<Account> {
    const email = emailOf(name) ?? "";
    const guess = `${request.ip} ${email}`;
    // Taken before the password is looked at: of guesses that come together each one counts.
    if (!limits.guessesFrom.has(request.ip) || !limits.guesses.take(guess)) throw tooMany(429);
    limits.guessesFrom.take(request.ip);
    const giveBack = (): void => {
      limits.guesses.giveBack(guess);
      limits.guessesFrom.giveBack(request.ip);
    };
    const account = email === "" ? undefined : await accounts.get(email);
    if (account !== undefined && account !== UNAVAILABLE) noteOfStaff(request, account, "login", false);
    const matches =
      account === UNAVAILABLE ? UNAVAILABLE : await passwords.matches(password, account?.password);
    if (account === UNAVAILABLE || matches === UNAVAILABLE || matches === BUSY) {
      giveBack();
      throw matches === BUSY ? busy() : storeAway();
    }
    if (!matches || account === undefined || isOver(account, clock.now()))
      throw new Refusal(403, "Incorrect username or password");
    giveBack();
    noteOfStaff(request, account, "login", true);
    await hashAnew(account, password);
    return account;
  }

  /** At today's cost; the next login will do as well. */
  async function hashAnew({ email, password: before }: Account, password: string): Promise<void> {
    if (!passwords.isOutdated(before)) return;
    const hashed = await passwords.hash(password);
    if (hashed === BUSY) return;
    await accounts.change(email, (now) => (now.password === before ? { ...now, password: hashed } : "keep"));
  }

  /** Answers alike, and after the same time, whether there is such an account or not. */
  async function recover(email: string | undefined, address: string): Promise<void> {
    const { mail } = modules;
    if (mail === undefined) throw new Refusal(501, "Passwords cannot be recovered here; ask the operator");
    if (email === undefined) return;
    if (!limits.mailsFrom.take(address) || !limits.mails.has("") || !limits.mailsTo.take(email))
      throw tooMany(503, RECOVERY_MS / 1_000 / MAILS_AN_HOUR);
    limits.mails.take("");
    const account = await accounts.get(email);
    if (account === UNAVAILABLE) throw storeAway();
    // What is done for somebody is done when the answer has gone out.
    if (account !== undefined)
      setImmediate(() => {
        mailToken(email, mail).catch((error: unknown) =>
          log.error(
            { err: error, problemId: ellisProblems.mailNotSent.id },
            "the mail for a forgotten password was not sent",
          ),
        );
      });
  }

  async function mailToken(email: string, mail: NonNullable<AccountModules["mail"]>): Promise<void> {
    const token = randomBytes(24).toString("base64url");
    const recovery = { hash: hash("sha256", token), until: clock.now() + RECOVERY_MS };
    const account = await accounts.change(email, (before) => ({
      ...before,
      recoveries: [recovery, ...before.recoveries].slice(0, MAILS_AN_HOUR),
    }));
    if (account === UNAVAILABLE) throw new Error("the accounts cannot be written now");
    if (account !== undefined) await mail(account, token);
  }

  async function setRecovered(
    request: FastifyRequest,
    email: string | undefined,
    token: string,
    password: string,
  ): Promise<void> {
    if (!limits.guessesFrom.take(request.ip)) throw tooMany(503);
    const judged = PASSWORD.safeParse(password);
    if (!judged.success) throw new Refusal(400, `password: ${judged.error.issues[0]?.message ?? ""}`);
    const hashed = await passwords.hash(password);
    if (hashed === BUSY) throw busy();
    const wanted = hash("sha256", token);
    const ofStaff = ownPasswordSchema.shape.new.safeParse(password);
    let isSet = false;
    let isTooWeak = false;
    const account =
      email === undefined
        ? undefined
        : await accounts.change(email, (before) => {
            isSet = before.recoveries.some(
              (recovery) => recovery.until > clock.now() && isSameSecret(recovery.hash, wanted),
            );
            isTooWeak = isSet && before.role !== undefined && !ofStaff.success;
            if (!isSet || isTooWeak) return "keep";
            return { ...before, ...newSessions(), recoveries: [], password: hashed };
          });
    if (account === UNAVAILABLE) throw storeAway();
    if (account !== undefined) noteOfStaff(request, account, "password.recover", isSet);
    if (!isSet) throw new Refusal(422, "Invalid token or email address");
    if (isTooWeak) throw new Refusal(400, `password: ${ofStaff.error?.issues[0]?.message ?? ""}`);
    log.info({}, "password recovered");
  }
}

/** Users are not in the audit log. `isProven`: nobody else can have asked. */
function noteOfStaff(
  request: FastifyRequest,
  { email, role }: Account,
  action: string,
  isProven: boolean,
): void {
  if (role !== undefined) request.audit = { action, who: email, role, isStaff: isProven };
}

function sessionDocument({ email, fullName }: Account): { username: string; full_name: string } {
  return { username: email, full_name: fullName };
}

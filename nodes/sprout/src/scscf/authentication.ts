import { hash } from "node:crypto";
import { canonicalImpu, impiOfImpu, isImpi } from "@ims/ims";
import {
  type DigestAlgorithm,
  type DigestCredentials,
  type DigestInput,
  digestAlgorithm,
  digestResponse,
  digestsEqual,
  parseAkaNonce,
  parseAuthorization,
  parseNameAddr,
  type RequestContext,
  type SipMessage,
} from "@ims/sip";
import { type Challenged, challenge } from "./challenge.ts";
import { hasBinding } from "./has-binding.ts";
import type { RegistrationAttempt } from "./measurement.ts";
import type { ScscfModules } from "./modules.ts";
import { refuseForStore } from "./store-away.ts";
import { tellWrongAnswer } from "./wrong-answer.ts";

/** Who a REGISTER is from, once that is proven. */
export interface AuthenticatedUser {
  readonly impi: string;
  readonly impu: string;
  /** Authentication-Info of the 200, after a digest exchange (RFC 7616 §3.5). */
  readonly authenticationInfo: string | undefined;
}

/** Registrations the P-CSCF vouches for: TS 24.229 §7.2A.2, TS 33.203 annex N and O. */
const PROTECTED = new Set(["yes", "tls-connected", "tls-yes", "ip-assoc-yes"]);

/**
 * Authentication of a REGISTER: TS 24.229 §5.4.1.2. `removal`: it only deregisters. `attempt` is told whether the user is registered.
 * Undefined when it has been answered.
 */
export async function authenticate(
  context: RequestContext,
  modules: ScscfModules,
  removal: boolean,
  attempt: RegistrationAttempt,
): Promise<AuthenticatedUser | undefined> {
  // 1. The user: To names the IMPU, Authorization the IMPI, else it follows from the IMPU (§5.4.1.1).
  const { request } = context;
  const to = parseNameAddr(request.header("To") ?? "");
  const impu = to === undefined ? undefined : canonicalImpu(to.uriText);
  if (impu === undefined) return answer(context, 400, "Bad Request (To)");
  // RFC 4475 §3.3.7: credentials of an unknown scheme count as none.
  const value = request.values("Authorization").find((line) => /^Digest(?:\s|$)/i.test(line));
  const credentials = value === undefined ? undefined : parseAuthorization(value);
  if (value !== undefined && credentials === undefined)
    return answer(context, 400, "Bad Request (Authorization)");
  const impi = credentials?.username ?? impiOfImpu(impu);
  if (impi === undefined || !isImpi(impi)) return answer(context, 403);

  // 2. An answer to a challenge is checked, protected or not (§5.4.1.2.2, §5.4.1.2.2A to F).
  if (credentials !== undefined && (credentials.response !== "" || credentials.auts !== undefined))
    return checkResponse(context, modules, impi, impu, { credentials, removal, attempt });

  // 3. A protected REGISTER of a registered user needs no challenge (§5.4.1.2.2, §5.4.1.2.2C, E).
  const registered = await hasBinding(modules, impu, impi);
  if (typeof registered === "object") return refuseForStore(context, registered);
  attempt.registered = registered === true;
  if (isTrusted(registered, removal, credentials)) {
    modules.counters.authentication("trusted");
    return { impi, impu, authenticationInfo: undefined };
  }

  // 4. Everybody else is challenged (§5.4.1.2.1).
  return rechallenge(context, modules, { impi, impu, credentials, initial: registered === false });
}

/**
 * §5.4.1.2.2C, E. A deregistration that its P-CSCF vouches for may come again after it has had its effect: then there is nothing left to
 * protect.
 */
function isTrusted(
  registered: boolean | "unknown",
  removal: boolean,
  credentials: DigestCredentials | undefined,
): boolean {
  return (registered === true || (registered === false && removal)) && isProtected(credentials);
}

function isProtected(credentials: DigestCredentials | undefined): boolean {
  return PROTECTED.has(credentials?.integrityProtected ?? "");
}

/** TS 24.229 §5.4.1.2.2 (AKA), §5.4.1.2.2A to F (SIP digest), abnormal cases §5.4.1.2.3. */
async function checkResponse(
  context: RequestContext,
  modules: ScscfModules,
  impi: string,
  impu: string,
  {
    credentials,
    removal,
    attempt,
  }: {
    readonly credentials: DigestCredentials;
    readonly removal: boolean;
    readonly attempt: RegistrationAttempt;
  },
): Promise<AuthenticatedUser | undefined> {
  const { challenges, challengeWatch, counters, options, cx } = modules;
  const { request } = context;
  // 1. The challenge it answers: an unknown or old one is replaced, stale=TRUE (§5.4.1.2.3B).
  const found = await challenges.find(impi, credentials.nonce);
  if (found.kind === "unavailable") return refuseForStore(context, found);
  if (found.kind === "notFound" || found.challenge.impu !== impu) {
    const registered = await hasBinding(modules, impu, impi);
    if (typeof registered === "object") return refuseForStore(context, registered);
    // A UE repeats the credentials of its registration; the P-CSCF vouches for it all the same (§5.4.1.2.2C, E).
    if (credentials.auts === undefined && isTrusted(registered, removal, credentials)) {
      counters.authentication("trusted");
      return { impi, impu, authenticationInfo: undefined };
    }
    return rechallenge(context, modules, {
      impi,
      impu,
      credentials,
      initial: registered === false,
      stale: true,
    });
  }
  const { challenge: issued, version } = found;
  attempt.registered = !issued.initial;

  // 2. Synchronisation failure: a fresh vector from the HSS (§5.4.1.2.3A).
  if (credentials.auts !== undefined && issued.kind !== "digest") {
    const rand = parseAkaNonce(credentials.nonce)?.rand;
    const auts = Buffer.from(credentials.auts, "base64");
    if (rand === undefined || auts.length !== 14) return answer(context, 400, "Bad Request (auts)");
    await forget(modules, impi, credentials.nonce);
    counters.authentication("resynchronised");
    const resynchronisation = Buffer.concat([rand, auts]);
    return rechallenge(context, modules, {
      impi,
      impu,
      credentials,
      initial: issued.initial,
      resynchronisation,
    });
  }

  // 3. A nonce count counts once (RFC 7616 §3.4); without qop the nonce does.
  const algorithm = credentials.algorithm ?? digestAlgorithm(undefined);
  const secret = issued.secrets.find((one) => one.algorithm === baseOf(algorithm));
  const nc = countOf(credentials);
  const qop = credentials.qop === "auth" || credentials.qop === "auth-int" ? credentials.qop : undefined;
  const wellFormed =
    credentials.realm === issued.realm &&
    nc !== undefined &&
    (credentials.qop === undefined || (qop !== undefined && (credentials.cnonce ?? "") !== ""));
  // The same request again: the member that had begun it died, and the edge proxy sent it to us.
  const spentBy = requestPrint(request, credentials);
  const again = wellFormed && nc === issued.nc && issued.spentBy === spentBy;
  if (wellFormed && nc <= issued.nc && !again)
    return rechallenge(context, modules, { impi, impu, credentials, initial: issued.initial, stale: true });

  // 4. The response itself.
  const input = {
    algorithm: algorithm ?? "MD5",
    ha1: secret?.ha1 ?? "",
    nonce: credentials.nonce,
    uri: credentials.uri,
    qop,
    nc: credentials.nc,
    cnonce: credentials.cnonce,
  } as const;
  const correct =
    wellFormed &&
    secret !== undefined &&
    digestsEqual(
      digestResponse({ ...input, method: request.method, body: request.body }),
      credentials.response,
    );
  if (!correct) {
    // §5.4.1.2.3: 403; the HSS hears of it unless the user is registered. No failure deregisters anybody.
    await forget(modules, impi, credentials.nonce);
    counters.authentication("refused");
    tellWrongAnswer(context, impi, credentials, {
      realm: issued.realm,
      offered: secret !== undefined,
      wellFormed,
    });
    const registered = await hasBinding(modules, impu, impi);
    if (registered === false)
      await cx.serverAssignment({
        type: "AUTHENTICATION_FAILURE",
        serverName: options.scscfUri,
        impi,
        impus: [impu],
        profileKnown: true,
      });
    return answer(context, 403);
  }

  // 5. Of two requests that spend one nonce count, one wins.
  const spent = { ...issued, nc, spentBy };
  const used = again ? "stored" : await challenges.use(credentials.nonce, spent, version);
  if (used === "unavailable") return refuseForStore(context, {});
  if (used === "contention")
    return rechallenge(context, modules, { impi, impu, credentials, initial: issued.initial, stale: true });
  challengeWatch.answered(credentials.nonce);
  counters.authentication("accepted");
  return { impi, impu, authenticationInfo: qop === undefined ? undefined : authenticationInfo(input) };
}

/** What makes a REGISTER the same one when it comes again: who, which, what for, on which way, with which answer. */
export function requestPrint(request: SipMessage, credentials: DigestCredentials): string {
  const parts = [
    request.callId,
    String(request.cseqNumber),
    request.header("To") ?? "",
    request.header("Expires") ?? "",
    ...request.values("Contact"),
    ...request.values("Path"),
    credentials.response,
  ];
  return hash("sha256", parts.join("\n"), "base64url").slice(0, 22);
}

/** Authentication-Info: RFC 7616 §3.5, TS 24.229 §5.4.1.2.2A. */
function authenticationInfo(input: Omit<DigestInput, "method">): string {
  const rspauth = digestResponse({ ...input, method: "" });
  return `qop=${input.qop},rspauth="${rspauth}",cnonce="${(input.cnonce ?? "").replace(/["\\]/g, "\\$&")}",nc=${input.nc ?? ""}`;
}

/** MD5-sess answers a challenge for MD5. */
export function baseOf(algorithm: DigestAlgorithm | undefined): string {
  return algorithm?.endsWith("-sess") ? algorithm.slice(0, -5) : (algorithm ?? "MD5");
}

/** Nonce count of the credentials, 1 without qop; undefined when malformed. */
export function countOf({ qop, nc }: DigestCredentials): number | undefined {
  if (qop === undefined) return 1;
  if (nc === undefined || !/^[0-9a-f]{8}$/i.test(nc)) return undefined;
  const count = Number.parseInt(nc, 16);
  return count === 0 ? undefined : count;
}

async function forget(
  { challenges, challengeWatch }: ScscfModules,
  impi: string,
  nonce: string,
): Promise<void> {
  challengeWatch.answered(nonce);
  await challenges.remove(impi, nonce);
}

async function rechallenge(
  context: RequestContext,
  modules: ScscfModules,
  user: Challenged,
): Promise<undefined> {
  await challenge(context, modules, user);
  return undefined;
}

function answer(context: RequestContext, status: number, reason?: string): undefined {
  context.respond(status, reason === undefined ? {} : { reason });
  return undefined;
}

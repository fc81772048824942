import { impiOfImpu, isImpi } from "@ims/ims";
import {
  type DigestCredentials,
  digestAlgorithm,
  digestResponse,
  digestsEqual,
  parseAuthorization,
  type RequestContext,
  type SipMessage,
} from "@ims/sip";
import type { Challenge } from "../store/impi-store.ts";
import { baseOf, countOf, requestPrint } from "./authentication.ts";
import { challenge } from "./challenge.ts";
import type { ScscfModules } from "./modules.ts";
import { refuseForStore } from "./store-away.ts";

/**
 * Authentication of a request other than REGISTER: TS 24.229 §5.4.3.6. Who shows credentials of ours, or for whom the edge has
 * put empty ones because it cannot vouch for him (a PBX that does not register), has to prove them, call by call. False
 * when it has been answered.
 */
export async function proxyAuthenticate(
  context: RequestContext,
  modules: ScscfModules,
  impu: string,
): Promise<boolean> {
  const { challenges, counters, options } = modules;
  const { request } = context;
  // 1. Credentials of other realms are for others.
  const credentials = ownCredentials(request, options.homeDomain);
  if (credentials === undefined) return true;
  const impi = credentials.username === "" ? impiOfImpu(impu) : credentials.username;
  if (impi === undefined || !isImpi(impi)) return refused(context);
  const again = async (stale: boolean): Promise<false> => {
    await challenge(context, modules, { impi, impu, credentials, initial: false, stale, proxy: true });
    return false;
  };
  if (credentials.response === "") return again(false);

  // 2. The challenge it answers; a nonce count counts once (RFC 7616 §3.4).
  const found = await challenges.find(impi, credentials.nonce);
  if (found.kind === "unavailable") {
    refuseForStore(context, found);
    return false;
  }
  if (found.kind === "notFound" || found.challenge.impu !== impu) return again(true);
  const { challenge: issued, version } = found;
  const nc = countOf(credentials);
  const spentBy = requestPrint(request, credentials);
  const repeated = nc === issued.nc && issued.spentBy === spentBy;
  if (nc !== undefined && nc <= issued.nc && !repeated) return again(true);

  // 3. The response itself.
  if (nc === undefined || !isCorrect(request, credentials, issued)) {
    await challenges.remove(impi, credentials.nonce);
    return refused(context, modules);
  }

  // 4. Of two requests that spend one nonce count, one wins.
  const used = repeated
    ? "stored"
    : await challenges.use(credentials.nonce, { ...issued, nc, spentBy }, version);
  if (used === "unavailable") {
    refuseForStore(context, {});
    return false;
  }
  if (used === "contention") return again(true);
  counters.authentication("accepted");
  return true;
}

/** What goes on keeps the credentials for others (RFC 3261 §22.3). */
export function removeOwnCredentials(request: SipMessage, realm: string): void {
  const values = request.lines("Proxy-Authorization");
  const others = values.filter((value) => parseAuthorization(value)?.realm !== realm);
  if (others.length === values.length) return;
  request.remove("Proxy-Authorization");
  for (const value of others) request.append("Proxy-Authorization", value);
}

function ownCredentials(request: SipMessage, realm: string): DigestCredentials | undefined {
  for (const value of request.lines("Proxy-Authorization")) {
    const credentials = /^Digest(?:\s|$)/i.test(value) ? parseAuthorization(value) : undefined;
    if (credentials?.realm === realm) return credentials;
  }
  return undefined;
}

function isCorrect(request: SipMessage, credentials: DigestCredentials, issued: Challenge): boolean {
  const { nonce, uri, nc, cnonce, response } = credentials;
  const algorithm = credentials.algorithm ?? digestAlgorithm(undefined) ?? "MD5";
  const secret = issued.secrets.find((one) => one.algorithm === baseOf(algorithm));
  const qop = credentials.qop === "auth" || credentials.qop === "auth-int" ? credentials.qop : undefined;
  const wellFormed = credentials.qop === undefined || (qop !== undefined && (cnonce ?? "") !== "");
  if (secret === undefined || !wellFormed || credentials.realm !== issued.realm) return false;
  const input = { algorithm, ha1: secret.ha1, nonce, uri, qop, nc, cnonce } as const;
  return digestsEqual(digestResponse({ ...input, method: request.method, body: request.body }), response);
}

function refused(context: RequestContext, modules?: ScscfModules): false {
  modules?.counters.authentication("refused");
  context.respond(403);
  return false;
}

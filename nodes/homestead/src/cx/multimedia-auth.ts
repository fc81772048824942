import { type AnswerAvps, ResultCode } from "@ims/diameter";
import { cxResult, type Mar, type MultimediaAuthRequest } from "@ims/diameter/cx";
import { akaVector, sqnOfAuts } from "../aka/aka-vector.ts";
import { isInRange, nextSqn } from "../aka/sequence-number.ts";
import { sharedText } from "../hss/shared-text.ts";
import {
  type AkaCredentials,
  type DigestCredentials,
  isSameRegistration,
  type Registration,
  type Subscriber,
} from "../hss/subscriber.ts";
import { bothIdentities, type Decision, serveAndSave } from "./identities.ts";
import type { CxModules } from "./modules.ts";

type Answer = AnswerAvps<typeof Mar>;
type AuthDataItem = NonNullable<Answer["sipAuthDataItem"]>[number];

/** More vectors than this per request only burn sequence numbers. */
const MAX_VECTORS = 5;
const RAND_BYTES = 16;
const AUTS_BYTES = 14;

type Scheme =
  | { readonly kind: "digest"; readonly digest: DigestCredentials }
  | { readonly kind: "aka"; readonly aka: AkaCredentials; readonly name: string };

/** Authentication of a user: TS 29.228 §6.3.1. */
export function multimediaAuth(request: MultimediaAuthRequest, modules: CxModules): Answer | Promise<Answer> {
  const { userName, publicIdentity } = request;
  modules.servers.note(request);
  // 1. and 2. The identities exist and belong together.
  return serveAndSave(
    modules.hss,
    userName,
    (lookups) => bothIdentities(lookups, userName, publicIdentity),
    ({ subscriber }) => authenticate(subscriber, request, modules),
  );
}

function authenticate(
  subscriber: Subscriber,
  request: MultimediaAuthRequest,
  modules: CxModules,
): Decision<Answer> {
  const { userName, publicIdentity, sipAuthDataItem } = request;
  // 3. The scheme is one the user can be authenticated with.
  const scheme = schemeOf(sipAuthDataItem.sipAuthenticationScheme ?? "Unknown", subscriber);
  if (scheme === undefined) return { answer: cxResult("ERROR_AUTH_SCHEME_NOT_SUPPORTED") };
  // 4. Synchronisation failure.
  const { sipAuthorization } = sipAuthDataItem;
  let sqn: number | undefined = subscriber.sqn;
  if (sipAuthorization !== undefined && sipAuthorization.length > 0 && scheme.kind === "aka") {
    sqn = resynchronised(sqn, scheme.aka, sipAuthorization);
  }
  const vectors = sqn === undefined ? undefined : vectorsOf(sqn, scheme, request.sipNumberAuthItems, modules);
  if (vectors === undefined) return { answer: { resultCode: ResultCode.UNABLE_TO_COMPLY } };
  const answer: Answer = {
    resultCode: ResultCode.SUCCESS,
    userName,
    publicIdentity,
    sipNumberAuthItems: vectors.items.length,
    sipAuthDataItem: vectors.items,
  };
  // 5. The S-CSCF that asks is the one that will serve; pending until it reports the outcome.
  const { registration } = subscriber;
  const sameServer = registration.serverName === request.serverName;
  const next =
    registration.state === "registered" && sameServer ? registration : pendingAt(request, registration);
  if (scheme.kind === "digest" && isSameRegistration(next, registration)) return { answer };
  return { answer, change: { registration: next, sqn: vectors.sqn } };
}

function pendingAt(request: MultimediaAuthRequest, { state }: Registration): Registration {
  return {
    state,
    authenticationPending: true,
    serverName: sharedText(request.serverName),
    originHost: sharedText(request.originHost),
    originRealm: sharedText(request.originRealm),
  };
}

/** SIP-Authentication-Scheme: TS 29.229 §6.3.9. "Unknown" leaves the choice to the HSS. */
function schemeOf(name: string, { credentials }: Subscriber): Scheme | undefined {
  const { digest, aka } = credentials;
  const lower = name.toLowerCase();
  if (digest !== undefined && (lower === "sip digest" || lower === "unknown"))
    return { kind: "digest", digest };
  if (aka === undefined) return undefined;
  if (lower === "digest-akav1-md5" || lower === "unknown")
    return { kind: "aka", aka, name: "Digest-AKAv1-MD5" };
  if (lower === "digest-akav2-md5") return { kind: "aka", aka, name: "Digest-AKAv2-MD5" };
  return undefined;
}

/** TS 33.102 §6.3.5: `authorization` is RAND || AUTS. Undefined when it is not the USIM that speaks. */
function resynchronised(home: number, aka: AkaCredentials, authorization: Uint8Array): number | undefined {
  if (authorization.length !== RAND_BYTES + AUTS_BYTES) return undefined;
  const rand = authorization.subarray(0, RAND_BYTES);
  const usim = sqnOfAuts(aka, rand, authorization.subarray(RAND_BYTES));
  if (usim === undefined) return undefined;
  // An old AUTS that is played again must not set the counter back.
  return isInRange(home, usim) ? home : usim;
}

/** The vectors, and the highest SQN in them. Undefined when the sequence numbers are used up. */
function vectorsOf(
  home: number,
  scheme: Scheme,
  wanted: number,
  { nextRand }: CxModules,
): { readonly items: AuthDataItem[]; readonly sqn: number } | undefined {
  if (scheme.kind === "digest") return { items: [digestItem(scheme.digest)], sqn: home };
  const items: AuthDataItem[] = [];
  let sqn = home;
  for (let number = 1; number <= Math.min(Math.max(wanted, 1), MAX_VECTORS); number++) {
    const next = nextSqn(sqn);
    if (next === undefined) return undefined;
    sqn = next;
    const { rand, autn, xres, ck, ik } = akaVector(scheme.aka, nextRand(), sqn);
    const sipAuthenticate = new Uint8Array(32);
    sipAuthenticate.set(rand, 0);
    sipAuthenticate.set(autn, 16);
    items.push({
      sipItemNumber: number,
      sipAuthenticationScheme: scheme.name,
      sipAuthenticate,
      sipAuthorization: xres,
      confidentialityKey: ck,
      integrityKey: ik,
    });
  }
  return { items, sqn };
}

/** TS 29.229 §6.3.36: the realm and the hashes; SHA-256 beside MD5 (RFC 8760). */
function digestItem({ realm, ha1Md5, ha1Sha256 }: DigestCredentials): AuthDataItem {
  return {
    sipItemNumber: 1,
    sipAuthenticationScheme: "SIP Digest",
    sipDigestAuthenticate: {
      digestRealm: realm,
      digestAlgorithm: "MD5",
      digestQop: "auth",
      digestHa1: ha1Md5,
      ...(ha1Sha256 === undefined
        ? {}
        : { alternateDigestAlgorithm: "SHA-256", alternateDigestHa1: ha1Sha256 }),
    },
  };
}

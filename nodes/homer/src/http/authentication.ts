import type { ProvisioningClient } from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import { challengeToString, type DigestCredentials, parseAuthorization, splitList, unquote } from "@ims/sip";
import type { Guesses } from "./guesses.ts";
import type { Nonces } from "./nonces.ts";

/** Who sends a request on Ut. `identities`: canonical. */
export type Requester =
  | { readonly kind: "user"; readonly identities: readonly string[] }
  /** WWW-Authenticate values. */
  | { readonly kind: "challenge"; readonly challenges: readonly string[] }
  | { readonly kind: "forbidden"; readonly problem: string }
  | { readonly kind: "tooMany" }
  | { readonly kind: "unavailable"; readonly problem: string };

export interface UtRequest {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  readonly address: string;
  readonly authorization: string | undefined;
  readonly assertedIdentity: string | undefined;
}

export interface AuthenticationModules {
  readonly realm: string;
  readonly isProxy: (address: string) => boolean;
  /** Undefined: there is no Digest. */
  readonly homestead: Pick<ProvisioningClient, "verifyDigest"> | undefined;
  readonly nonces: Nonces;
  readonly guesses: Guesses;
}

const MAX_IDENTITIES = 64;

/** TS 24.623, TS 33.222: what an authentication proxy asserts, else HTTP Digest with the password of the IMPI. */
export async function requesterOf(request: UtRequest, modules: AuthenticationModules): Promise<Requester> {
  const { isProxy, homestead } = modules;
  if (isProxy(request.address)) {
    const identities = assertedIdentities(request.assertedIdentity ?? "");
    if (identities.length > 0) return { kind: "user", identities };
    return { kind: "forbidden", problem: "X-3GPP-Asserted-Identity names nobody" };
  }
  if (homestead === undefined)
    return { kind: "forbidden", problem: "requests are taken from authentication proxies only" };
  const credentials =
    request.authorization === undefined ? undefined : parseAuthorization(request.authorization);
  if (credentials === undefined) return challenge(modules, false);
  return digest(request, credentials, homestead, modules);
}

async function digest(
  { method, target, address }: UtRequest,
  credentials: DigestCredentials,
  homestead: Pick<ProvisioningClient, "verifyDigest">,
  modules: AuthenticationModules,
): Promise<Requester> {
  const { realm, nonces, guesses } = modules;
  const { username, algorithm, nonce, nc = "", cnonce = "", response, uri } = credentials;
  const isWhole =
    (algorithm === "MD5" || algorithm === "SHA-256") &&
    credentials.realm === realm &&
    credentials.qop === "auth" &&
    /^[0-9a-fA-F]{8}$/.test(nc) &&
    /^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{64})$/.test(response) &&
    cnonce !== "" &&
    cnonce.length <= 1_024 &&
    username.length <= 255 &&
    isTarget(uri, target);
  if (!isWhole) return challenge(modules, false);
  if (guesses.tooMany(username, address)) return { kind: "tooMany" };
  const known = nonces.check(nonce, nc);
  if (known !== "good") return challenge(modules, known === "stale");
  try {
    const verdict = await homestead.verifyDigest(username, {
      ...{ realm, algorithm, method, uri, nonce, cnonce, nc, qop: "auth", response },
    });
    if (verdict.authenticated) return { kind: "user", identities: verdict.publicIdentities };
  } catch (error) {
    return { kind: "unavailable", problem: error instanceof Error ? error.message : String(error) };
  }
  guesses.failed(username, address);
  return challenge(modules, false);
}

/** RFC 7616 §3.4.6: the same resource, as path or as absolute URI. */
function isTarget(uri: string, target: string): boolean {
  return uri === target || uri.replace(/^https?:\/\/[^/]*/i, "") === target;
}

function challenge({ realm, nonces }: AuthenticationModules, stale: boolean): Requester {
  const nonce = nonces.issue();
  const challenges = (["SHA-256", "MD5"] as const).map((algorithm) =>
    challengeToString({ realm, nonce, algorithm, qop: ["auth"], stale }),
  );
  return { kind: "challenge", challenges };
}

/** TS 24.109: a list of quoted public identities. */
function assertedIdentities(value: string): readonly string[] {
  if (value.length > 16_384) return [];
  return splitList(value)
    .slice(0, MAX_IDENTITIES)
    .map((each) => canonicalImpu(unquote(each)))
    .filter((each) => each !== undefined);
}

import {
  akaHa1,
  akaNonce,
  challengeToString,
  type DigestAlgorithm,
  type DigestCredentials,
  type RequestContext,
} from "@ims/sip";
import type { AuthenticationScheme, AuthenticationVector } from "../cx/cx.ts";
import { refuseForBusyHss } from "../cx/hss-busy.ts";
import { refuseForSilentHss } from "../cx/hss-silent.ts";
import type { Challenge } from "../store/impi-store.ts";
import type { ScscfModules } from "./modules.ts";
import { refuseForStore } from "./store-away.ts";

/** Who is challenged and why. */
export interface Challenged {
  readonly impi: string;
  readonly impu: string;
  readonly credentials: DigestCredentials | undefined;
  readonly initial: boolean;
  readonly stale?: boolean;
  readonly resynchronisation?: Uint8Array;
  /** Of another request than REGISTER: 407 (§5.4.3.6). */
  readonly proxy?: boolean;
}

/** MAR, challenge, 401: TS 24.229 §5.4.1.2.1 to §5.4.1.2.1E. */
export async function challenge(
  context: RequestContext,
  modules: ScscfModules,
  user: Challenged,
): Promise<void> {
  const { impi, impu, credentials, initial } = user;
  const { cx, challenges, challengeWatch, clock, counters, options } = modules;
  const answered = await cx.multimediaAuth({
    impi,
    impu,
    serverName: options.scscfUri,
    scheme: schemeFor(credentials),
    ...(user.resynchronisation === undefined ? {} : { resynchronisation: user.resynchronisation }),
  });
  if (answered.kind === "unavailable")
    return answered.busy ? refuseForBusyHss(context) : refuseForSilentHss(context);
  if (answered.kind === "rejected") {
    counters.authentication("refused");
    return void context.respond(403);
  }
  const vector = inOrder(answered.vector, options.digestAlgorithms);
  // Keys of AKA are for registrations.
  if (user.proxy === true && vector.kind === "aka") return void context.respond(403);
  const nonce = vector.kind === "aka" ? akaNonce(vector.rand, vector.autn) : modules.nonce();
  const stored = await challenges.issue(nonce, {
    impi,
    impu,
    ...expectation(vector, impi, options.homeDomain),
    issuedAt: clock.now(),
    nc: 0,
    initial,
    spentBy: "",
  });
  if (stored === "unavailable") return refuseForStore(context, {});
  if (initial) challengeWatch.watch(impi, nonce);
  counters.authentication(user.stale === true ? "stale" : "challenged");
  const [status, header] =
    user.proxy === true ? ([407, "Proxy-Authenticate"] as const) : ([401, "WWW-Authenticate"] as const);
  context.respond(status, {
    edit: (response) => {
      for (const line of challengesFor(vector, nonce, options.homeDomain, user.stale === true))
        response.append(header, line);
    },
  });
}

/** SIP-Authentication-Scheme of MAR: TS 24.229 §5.4.1.1, TS 29.228 §6.3.1. */
function schemeFor(credentials: DigestCredentials | undefined): AuthenticationScheme {
  const protection = credentials?.integrityProtected;
  if (credentials?.algorithm === "AKAv2-MD5") return "akav2";
  if (protection === "no" || protection === "yes" || credentials?.algorithm === "AKAv1-MD5") return "akav1";
  return "unknown";
}

/** The operator's order of preference; what he does not name is not offered unless nothing else is there. */
function inOrder(vector: AuthenticationVector, order: readonly string[]): AuthenticationVector {
  if (vector.kind === "aka" || vector.secrets.length === 1) return vector;
  const secrets = order.flatMap((name) => vector.secrets.filter(({ algorithm }) => algorithm === name));
  return secrets.length === 0 ? vector : { ...vector, secrets };
}

function expectation(
  vector: AuthenticationVector,
  impi: string,
  homeDomain: string,
): Pick<Challenge, "kind" | "realm" | "secrets"> {
  if (vector.kind === "digest")
    return { kind: "digest", realm: realmOf(vector, homeDomain), secrets: vector.secrets };
  const keys = { res: vector.xres, ik: vector.ik, ck: vector.ck };
  return {
    kind: vector.version === 1 ? "aka1" : "aka2",
    realm: homeDomain,
    secrets: [{ algorithm: akaName(vector.version), ha1: akaHa1(vector.version, impi, homeDomain, keys) }],
  };
}

function realmOf(vector: { readonly realm: string }, homeDomain: string): string {
  return vector.realm === "" ? homeDomain : vector.realm;
}

function akaName(version: 1 | 2): DigestAlgorithm {
  return version === 1 ? "AKAv1-MD5" : "AKAv2-MD5";
}

/** One challenge an algorithm, the preferred one on top (RFC 8760 §2.3); ck and ik for the P-CSCF only (§5.4.1.2.1A). */
function challengesFor(
  vector: AuthenticationVector,
  nonce: string,
  homeDomain: string,
  stale: boolean,
): string[] {
  if (vector.kind === "aka")
    return [
      challengeToString({
        realm: homeDomain,
        nonce,
        algorithm: akaName(vector.version),
        qop: ["auth"],
        stale,
        ck: Buffer.from(vector.ck).toString("hex"),
        ik: Buffer.from(vector.ik).toString("hex"),
      }),
    ];
  const realm = realmOf(vector, homeDomain);
  return vector.secrets.map(({ algorithm }) =>
    challengeToString({ realm, nonce, algorithm, qop: ["auth"], stale }),
  );
}

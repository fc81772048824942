import { hash, timingSafeEqual } from "node:crypto";
import {
  type AkaVerdict,
  akaAnswerSchema,
  type DigestProof,
  type DigestVerdict,
  digestProofSchema,
  type IdentityOwner,
} from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import type { FastifyInstance } from "fastify";
import { akaAnswerFits } from "../aka/answer-fits.ts";
import { impiKey } from "../cx/identities.ts";
import { UNAVAILABLE } from "../hss/hss.ts";
import { eachSetOf } from "../hss/stored.ts";
import type { Subscriber } from "../hss/subscriber.ts";
import { HttpProblem, notFound, storeAway } from "./problem.ts";
import { parse, type RouteModules } from "./subscriber-routes.ts";

const SMALL = { bodyLimit: 32_768 } as const;

/**
 * For nodes that serve subscribers over HTTP (Ut): who an identity belongs to, and whether somebody knows a password. Its hash does
 * not leave the process.
 */
export function authenticationRoutes(app: FastifyInstance, { subscribers }: RouteModules): void {
  app.post<{ Params: { impi: string } }>(
    "/subscribers/:impi/verify-digest",
    SMALL,
    async (request): Promise<DigestVerdict> => {
      const proof = parse(digestProofSchema, request.body);
      const subscriber = await subscribers.byPrivateIdentity(impiKey(request.params.impi));
      if (subscriber === UNAVAILABLE) throw storeAway();
      if (subscriber === undefined || !isProven(subscriber, proof)) return { authenticated: false };
      const publicIdentities = identitiesOf(subscriber);
      return publicIdentities.length === 0
        ? { authenticated: false }
        : { authenticated: true, publicIdentities };
    },
  );

  app.post<{ Params: { impi: string } }>(
    "/subscribers/:impi/compare-aka",
    SMALL,
    async (request): Promise<AkaVerdict> => {
      const answer = parse(akaAnswerSchema, request.body);
      const { impi } = request.params;
      const subscriber = await subscribers.byPrivateIdentity(impiKey(impi));
      if (subscriber === UNAVAILABLE) throw storeAway();
      if (subscriber === undefined) throw notFound(impi);
      const { aka } = subscriber.credentials;
      return { fits: aka === undefined ? "neither" : akaAnswerFits(impi, aka, answer) };
    },
  );

  app.get<{ Params: { impu: string } }>(
    "/public-identities/:impu",
    async (request): Promise<IdentityOwner> => {
      const { impu } = request.params;
      const canonical = canonicalImpu(impu);
      if (canonical === undefined)
        throw new HttpProblem(400, "Wrong request", `${impu.slice(0, 200)} is no public identity`);
      const subscriber = await subscribers.byPublicIdentity(canonical);
      if (subscriber === UNAVAILABLE) throw storeAway();
      const publicIdentities = subscriber === undefined ? [] : identitiesOf(subscriber);
      if (subscriber === undefined || publicIdentities.length === 0) throw notFound(impu.slice(0, 200));
      return { impi: subscriber.impi, publicIdentities };
    },
  );
}

/** RFC 7616 §3.4.1. */
function isProven({ credentials: { digest } }: Subscriber, proof: DigestProof): boolean {
  const { realm, algorithm, method, uri, nonce, nc, cnonce, qop, response } = proof;
  if (digest === undefined || digest.realm !== realm) return false;
  const [name, ha1] = algorithm === "MD5" ? ["md5", digest.ha1Md5] : ["sha256", digest.ha1Sha256];
  if (ha1 === undefined) return false;
  const ha2 = hash(name, `${method}:${uri}`);
  const expected = Buffer.from(hash(name, [ha1, nonce, nc, cnonce, qop, ha2].join(":")));
  const given = Buffer.from(response.toLowerCase());
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Those that may be used, the default one first (TS 24.229 §5.4.1.2.2F). Wildcards are none of a person. */
function identitiesOf(subscriber: Subscriber): string[] {
  return eachSetOf(subscriber)
    .flatMap(({ identities }) => identities)
    .filter(({ barred, wildcard }) => !barred && wildcard === undefined)
    .map(({ canonical }) => canonical);
}

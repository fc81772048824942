import { hash } from "node:crypto";
import type { AkaAnswer } from "@ims/api";
import type { DigestCredentials, RequestContext } from "@ims/sip";

/** A field of a note is cut beyond that. */
const LONGEST_PROOF = 480;

/**
 * Tells the trail what was wrong with the answer to a challenge. Of an answer to AKA, whose secret is good for nothing but this one
 * challenge, it tells a fingerprint too, for the AuC to compare with what it would expect of another OPc.
 */
export function tellWrongAnswer(
  context: RequestContext,
  impi: string,
  credentials: DigestCredentials,
  challenge: { readonly realm: string; readonly offered: boolean; readonly wellFormed: boolean },
): void {
  const wrong =
    credentials.realm !== challenge.realm
      ? "realm"
      : !challenge.offered
        ? "algorithm"
        : challenge.wellFormed
          ? "response"
          : "form";
  const { algorithm } = credentials;
  const proof = wrong === "response" ? proofOf(context.request.method, credentials) : undefined;
  context.decided("authentication", { impi, wrong, algorithm, proof });
}

function proofOf(method: string, credentials: DigestCredentials): string | undefined {
  const { algorithm, realm, nonce, uri, qop, nc, cnonce, response } = credentials;
  if (algorithm !== "AKAv1-MD5" && algorithm !== "AKAv2-MD5") return undefined;
  if (qop !== undefined && qop !== "auth") return undefined;
  const answer: AkaAnswer = {
    ...{ algorithm, method, realm, nonce, uri },
    ...(qop === undefined ? {} : { qop, nc: nc ?? "", cnonce: cnonce ?? "" }),
    print: hash("sha256", response.toLowerCase()).slice(0, 32),
  };
  const text = Buffer.from(JSON.stringify(answer)).toString("base64url");
  return text.length > LONGEST_PROOF ? undefined : text;
}

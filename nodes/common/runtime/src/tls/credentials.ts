import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ImsError } from "../errors.ts";

/** Paths of PEM files. */
export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** PEM texts that go together. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export type CredentialFault =
  | { readonly code: "CORE_TLS_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "CORE_TLS_OPTION"; readonly problem: string };

/** What of certificate, key and authorities will not do, and in which file. Never quotes a file. */
export class CredentialError extends ImsError<CredentialFault> {}

/** Certificates and keys are short; what is longer is another file. */
const MAX_LENGTH = 1_000_000;
const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Reads the three files. Throws CORE_TLS_FILE for what cannot be read, is no PEM, or does not go together. */
export function readCredentials(files: CredentialFiles): Credentials {
  const [cert, key, ca] = [read(files.certificate), read(files.key), read(files.ca)];
  const [own, ...chain] = certificates(files.certificate, cert);
  if (own === undefined) throw fault(files.certificate, "holds no PEM certificate");
  if (!own.checkPrivateKey(privateKey(files.key, key)))
    throw fault(files.key, `is not the key of ${files.certificate}`);
  const authorities = certificates(files.ca, ca);
  if (authorities.length === 0) throw fault(files.ca, "holds no PEM certificate");
  if (!isVouchedFor(own, chain, authorities))
    throw fault(files.certificate, `is not issued by an authority of ${files.ca}`);
  return { cert, key, ca };
}

/** Epoch ms at which a certificate, the first of a PEM text that was read, ends. */
export function validUntil(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

function read(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (cause) {
    throw fault(file, `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? "unknown error"}`, cause);
  }
  if (text.length > MAX_LENGTH) throw fault(file, "is too long");
  return text;
}

function certificates(file: string, pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw fault(file, `certificate ${index + 1} of it cannot be decoded`);
    }
  });
}

/** The library's own words are kept out: they may say something about the key. */
function privateKey(file: string, pem: string): KeyObject {
  if (!pem.includes("PRIVATE KEY-----")) throw fault(file, "holds no PEM private key");
  if (pem.includes("ENCRYPTED")) throw fault(file, "is protected by a passphrase, which nobody could give");
  try {
    return createPrivateKey(pem);
  } catch {
    throw fault(file, "holds a private key that cannot be decoded");
  }
}

/** Does the chain lead to one of the authorities? */
function isVouchedFor(
  own: X509Certificate,
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  const isIssuer = (of: X509Certificate) => (by: X509Certificate) =>
    of.checkIssued(by) && of.verify(by.publicKey);
  let at: X509Certificate | undefined = own;
  for (let depth = 0; at !== undefined && depth <= chain.length; depth++) {
    if (authorities.some(isIssuer(at))) return true;
    at = chain.find(isIssuer(at));
  }
  return false;
}

function fault(file: string, problem: string, cause?: unknown): CredentialError {
  return new CredentialError(
    { code: "CORE_TLS_FILE", file, problem },
    { message: `${file} ${problem}`, ...(cause === undefined ? {} : { cause }) },
  );
}

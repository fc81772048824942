import { verify, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { Authority } from "./authority.ts";

/** A machine that was let in asks for a later certificate: the one it has, signed for with its key, is what proves who it is. */
export const renewalRequestSchema = z.object({
  version: z.literal(1),
  /** The certificate that runs out, PEM. */
  certificate: z.string().max(4000),
  /** Certificate request, PEM. */
  request: z.string().max(4000),
  /** By the key of that certificate, over both; base64. */
  signature: z.string().max(1000),
});
export type RenewalRequest = z.output<typeof renewalRequestSchema>;

/** Two thirds of its time are over. */
export function renewalDue(certificate: string, now: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now >= to - (to - from) / 3;
}

/** Signs it for who holds a certificate of this authority that is still good; undefined for anybody else. */
export async function signRenewal(
  authority: Authority,
  { certificate, request, signature }: RenewalRequest,
  now: number,
): Promise<{ readonly certificate: string; readonly name: string } | undefined> {
  const holder = holderOf(certificate, authority.certificate, now);
  if (holder === undefined) return undefined;
  const { key, name, address } = holder;
  const proven = verify("sha256", renewalWords(certificate, request), key, Buffer.from(signature, "base64"));
  if (!proven) return undefined;
  return { certificate: await authority.sign(request, name, address), name };
}

/** What is signed: it can be used for nothing else. */
export function renewalWords(certificate: string, request: string): Buffer {
  return Buffer.from(JSON.stringify(["renew", certificate, request]));
}

function holderOf(certificate: string, authority: string, now: number) {
  try {
    const own = new X509Certificate(certificate);
    const ca = new X509Certificate(authority);
    const good = own.validFromDate.getTime() <= now && now < own.validToDate.getTime();
    if (own.ca || !good || !own.checkIssued(ca) || !own.verify(ca.publicKey)) return undefined;
    const name = /^CN=([a-z0-9-]{1,63})$/m.exec(own.subject)?.[1];
    const address = /IP Address:([0-9A-Fa-f.:]+)/.exec(own.subjectAltName ?? "")?.[1];
    if (name === undefined || address === undefined) return undefined;
    return { key: own.publicKey, name, address };
  } catch {
    return undefined;
  }
}

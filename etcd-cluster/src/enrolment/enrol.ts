import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "@ims/runtime";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import { EtcdError } from "../etcd/errors.ts";
import { type Authority, requestAgain, requestCertificate } from "./authority.ts";
import { answerWords, requestWords } from "./enrolment-server.ts";
import { proofOf, proves, tokenId } from "./join-token.ts";

export interface EnrolRequest {
  /** http://10.0.0.1:2378, one after the other. */
  readonly servers: readonly string[];
  readonly token: string;
  /** Of the member on this machine. */
  readonly name: string;
  readonly address: string;
  /** For own.key, own.pem and ca.pem. */
  readonly folder: string;
}

const answerSchema = z.object({
  certificate: z.string().max(20_000),
  authority: z.string().max(20_000),
  proof: z.string().max(64),
});
const WITHIN_MS = 10_000;

/**
 * Has this machine let in: its key stays here, its certificate and that of the authority are written. Done already: nothing
 * happens. May be asked again after any failure. @throws EtcdError ETCD_ENROLMENT: what each server said.
 */
export async function enrol({
  servers,
  token,
  name,
  address,
  folder,
}: EnrolRequest): Promise<"enrolled" | "known"> {
  const { keyFile, own, ca, csr } = filesOf(folder);
  if (await isThere(own)) return "known";
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const request = await requestOf(csr, keyFile);
  const nonce = randomBytes(16).toString("hex");
  const words = { id: tokenId(token), name, address, request, nonce };
  const body = JSON.stringify({ version: 1, ...words, proof: proofOf(token, requestWords(words)) });
  const problems: string[] = [];
  for (const server of servers) {
    const answer = await ask(`${server}/enrol`, body, answerSchema);
    if (typeof answer === "string") {
      problems.push(`${server}: ${answer}`);
      continue;
    }
    const { certificate, authority, proof } = answer;
    const believed =
      proves(proof, token, answerWords(nonce, certificate, authority)) &&
      fits(certificate, authority, await readFile(keyFile, "utf8"));
    if (!believed) {
      problems.push(`${server}: does not know the join token itself`);
      continue;
    }
    await replaceFile(ca, authority);
    await replaceFile(own, certificate); // last: it says that all is there
    return "enrolled";
  }
  throw new EtcdError({ code: "ETCD_ENROLMENT", text: name, problem: problems.join("; ") });
}

/** The machine that has the authority lets itself in, by the same files. */
export async function enrolHere(
  authority: Authority,
  { name, address, folder }: Pick<EnrolRequest, "name" | "address" | "folder">,
): Promise<"enrolled" | "known"> {
  const { keyFile, own, ca, csr } = filesOf(folder);
  if (await isThere(own)) return "known";
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const request = await requestOf(csr, keyFile);
  const certificate = await authority.sign(request, name, address);
  await replaceFile(ca, authority.certificate);
  await replaceFile(own, certificate);
  return "enrolled";
}

/** What a machine that was let in keeps. */
export function filesOf(folder: string): { keyFile: string; own: string; ca: string; csr: string } {
  const [keyFile, own] = [join(folder, "own.key"), join(folder, "own.pem")];
  return { keyFile, own, ca: join(folder, "ca.pem"), csr: join(folder, "own.csr") };
}

/** The same request each time: an answer that got lost does not cost a further use of the token. */
export async function requestOf(file: string, keyFile: string): Promise<string> {
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before !== undefined) return before;
  const request = (await isThere(keyFile)) ? await requestAgain(keyFile) : await requestCertificate(keyFile);
  await replaceFile(file, request);
  return request;
}

/** The answer, or why there is none. */
export async function ask<T>(url: string, body: string, schema: z.ZodType<T>): Promise<T | string> {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers,
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const text = (await answer.text()).slice(0, 65_536);
    if (!answer.ok)
      return parseJson(text, z.object({ problem: z.string() }))?.problem ?? `HTTP ${answer.status}`;
    return parseJson(text, schema) ?? "answers what is none";
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return cause?.code ?? message;
  }
}

/** A certificate of this authority for this key. */
export function fits(certificate: string, authority: string, key: string): boolean {
  try {
    const own = new X509Certificate(certificate);
    return own.verify(new X509Certificate(authority).publicKey) && own.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

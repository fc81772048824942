import { createPrivateKey, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { replaceFile } from "@ims/runtime";
import { z } from "zod";
import { EtcdError } from "../etcd/errors.ts";
import { ask, filesOf, fits, requestOf } from "./enrol.ts";
import { type RenewalRequest, renewalDue, renewalWords } from "./renewal.ts";

const answerSchema = z.object({ certificate: z.string().max(20_000) });

export interface RenewRequest {
  /** http://10.0.0.1:2378, one after the other. */
  readonly servers: readonly string[];
  /** With own.key, own.pem and ca.pem, as `enrol` leaves it. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly now: number;
}

/**
 * A later certificate for the key of this machine, once two thirds of the time of its own are over. May be asked again after any failure; the
 * old one stays until there is another. @throws EtcdError ETCD_ENROLMENT: what each server said.
 */
export async function renew({ servers, folder, now }: RenewRequest): Promise<"renewed" | "good"> {
  const files = filesOf(folder);
  const [own, ca, keyText] = await Promise.all(
    [files.own, files.ca, files.keyFile].map((path) => readFile(path, "utf8")),
  );
  const certificate = own ?? "";
  if (!renewalDue(certificate, now)) return "good";
  const request = await requestOf(files.csr, files.keyFile);
  const key = createPrivateKey(keyText ?? "");
  const signature = sign("sha256", renewalWords(certificate, request), key).toString("base64");
  const asked: RenewalRequest = { version: 1, certificate, request, signature };
  const problems: string[] = [];
  for (const server of servers) {
    const answer = await ask(`${server}/renew`, JSON.stringify(asked), answerSchema);
    if (typeof answer === "string") {
      problems.push(`${server}: ${answer}`);
      continue;
    }
    // Also an answer of somebody else's, or one of long ago, is no reason to give up what we have.
    if (!fits(answer.certificate, ca ?? "", keyText ?? "") || renewalDue(answer.certificate, now)) {
      problems.push(`${server}: what it answers is no later certificate for this machine`);
      continue;
    }
    await replaceFile(files.own, answer.certificate);
    return "renewed";
  }
  throw new EtcdError({ code: "ETCD_ENROLMENT", text: folder, problem: problems.join("; ") });
}

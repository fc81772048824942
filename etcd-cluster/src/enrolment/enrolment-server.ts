import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Logger, Service } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import { etcdClusterProblems } from "../problems.ts";
import type { Authority } from "./authority.ts";
import { proofOf, proves, type TokenLedger } from "./join-token.ts";
import { renewalRequestSchema, signRenewal } from "./renewal.ts";

export interface EnrolmentServerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly authority: Authority;
  readonly ledger: TokenLedger;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export const enrolmentRequestSchema = z.object({
  version: z.literal(1),
  /** Of the token. */
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().regex(/^[a-z0-9-]{1,63}$/),
  address: z.ipv4().or(z.ipv6()),
  /** Certificate request, PEM. */
  request: z.string().max(4000),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  proof: z.string().max(64),
});
export type EnrolmentRequest = z.output<typeof enrolmentRequestSchema>;

const MAX_BODY = 16 * 1024;
const WITHIN_MS = 10_000;

/** What both proofs are over: neither can be used for anything else. */
export function requestWords(request: Omit<EnrolmentRequest, "proof" | "version">): string[] {
  return ["request", request.id, request.name, request.address, request.request, request.nonce];
}

export function answerWords(nonce: string, certificate: string, authority: string): string[] {
  return ["answer", nonce, certificate, authority];
}

/**
 * Lets machines in that know a join token: POST /enrol gives a certificate for the key in the request. Both sides prove that they know the token,
 * nothing that passes is secret, and the token does not pass: plain HTTP will do before there are certificates. POST /renew gives who was let in
 * a later one.
 */
export class EnrolmentServer implements Service {
  readonly #options: EnrolmentServerOptions;
  readonly #server: Server;

  constructor(options: EnrolmentServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: WITHIN_MS, headersTimeout: WITHIN_MS },
      (request, response) => {
        this.#answer(request)
          .catch((err: unknown) => {
            options.log.error(
              { err, problemId: runtimeProblems.requestFailed.id },
              "enrolling a machine failed",
            );
            return { status: 503, body: { problem: "not now: the log of this machine says why" } };
          })
          .then(({ status, body }) => {
            response.writeHead(status, { "content-type": "application/json", connection: "close" });
            response.end(JSON.stringify(body));
          })
          .catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = 64;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    });
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const { url = "" } = request;
    if (request.method !== "POST" || !["/enrol", "/renew"].includes(url))
      return refusal(404, "POST /enrol or /renew");
    const text = await bodyOf(request);
    return url === "/renew" ? this.#renew(text) : this.#enrol(text);
  }

  async #renew(text: string | undefined): Promise<{ status: number; body: object }> {
    const { authority, clock, log } = this.#options;
    const asked = text === undefined ? undefined : parseJson(text, renewalRequestSchema);
    if (asked === undefined) return refusal(400, "this is no request for renewal");
    const renewed = await signRenewal(authority, asked, clock.now()).catch((err: unknown) => {
      log.warn(
        { err, problemId: etcdClusterProblems.certificateNotMade.id },
        "a certificate cannot be renewed by this request",
      );
      return undefined;
    });
    if (renewed === undefined)
      return refusal(403, "not proven by a certificate of this authority that is still good");
    log.info({ name: renewed.name }, "certificate renewed");
    return { status: 200, body: { certificate: renewed.certificate } };
  }

  async #enrol(text: string | undefined): Promise<{ status: number; body: object }> {
    const { authority, ledger, clock, log } = this.#options;
    const asked = text === undefined ? undefined : parseJson(text, enrolmentRequestSchema);
    if (asked === undefined) return refusal(400, "this is no request for enrolment");
    const token = await ledger.find(asked.id, clock.now());
    if (typeof token === "object") return refusal(503, "etcd has no quorum: try again");
    // One answer for all: who does not know a token learns nothing about it.
    const unknown = refusal(403, "the join token is unknown, used up or expired: ask for a new one");
    if (token === undefined || !proves(asked.proof, token, requestWords(asked))) return unknown;
    const { name, address, nonce } = asked;
    let certificate: string;
    try {
      certificate = await authority.sign(asked.request, name, address);
    } catch (err) {
      log.warn(
        { err, name, address, problemId: etcdClusterProblems.certificateNotMade.id },
        "a certificate cannot be made from this request",
      );
      return refusal(400, "the certificate request cannot be used");
    }
    const machine = `${name} ${createHash("sha256").update(asked.request).digest("hex")}`;
    const taken = await ledger.take(asked.id, machine, clock.now());
    if (typeof taken === "object") return refusal(503, "etcd has no quorum: try again");
    if (!taken) return unknown;
    log.info({ name, address }, "machine let in by a join token");
    const proof = proofOf(token, answerWords(nonce, certificate, authority.certificate));
    return { status: 200, body: { certificate, authority: authority.certificate, proof } };
  }
}

function refusal(status: number, problem: string): { status: number; body: object } {
  return { status, body: { problem } };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

import type { Readable } from "node:stream";
import { Agent, type Dispatcher, errors, request } from "undici";
import { OpenStackError } from "./errors.ts";

/** TLS towards the cloud. Certificates are verified unless `verify` is false. */
export interface TlsOptions {
  readonly verify: boolean;
  /** PEM. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface HttpRequest {
  /** For messages: keystone, heat ... */
  readonly service: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Http {
  send(asked: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** A list of all stacks of a project with their reasons stays far below; what is longer is no answer. */
const ANSWER_MAX = 64 * 1024 * 1024;

export function openHttp({ verify, ca, certificate, key }: TlsOptions): Http {
  const agent = new Agent({
    keepAliveTimeout: 4_000,
    connect: {
      timeout: 10_000,
      rejectUnauthorized: verify,
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    },
  });
  return { send: (asked) => send(agent, asked), close: () => agent.destroy() };
}

async function send(agent: Agent, asked: HttpRequest): Promise<HttpAnswer> {
  const { service, url, method, headers, body, timeoutMs, signal } = asked;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method,
      headers,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await textOf(answer, asked) };
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof OpenStackError) throw error;
    throw new OpenStackError(
      {
        code: "UNREACHABLE",
        service,
        url: originOf(url),
        reason: reasonOf(error, limit.aborted, timeoutMs),
        maybeDone: !NOT_SENT.has(codeOf(error)),
      },
      { cause: error },
    );
  }
}

/** The answer is read piece by piece: one that is endless ends here. */
async function textOf(answer: Dispatcher.ResponseData, { service, url }: HttpRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_MAX) {
      answer.body.destroy();
      throw new OpenStackError({
        code: "ANSWER",
        service,
        url: originOf(url),
        problem: `more than ${ANSWER_MAX} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function codeOf(error: unknown): string {
  return error instanceof Error ? String((error as NodeJS.ErrnoException).code ?? "") : "";
}

function reasonOf(error: unknown, late: boolean, timeoutMs: number): string {
  if (late || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return `no answer within ${timeoutMs / 1000} s`;
  const code = codeOf(error);
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name is not known";
    case "UND_ERR_CONNECT_TIMEOUT":
      return "no connection in time";
    case "UND_ERR_SOCKET":
    case "ECONNRESET":
      return "the connection was closed before the answer";
  }
  if (/CERT|SIGNATURE|SELF_SIGNED/.test(code))
    return `its certificate is not accepted (${code}); give the CA with OS_CACERT or cacert in clouds.yaml`;
  return error instanceof Error ? error.message : String(error);
}

/** Without path and query: they may have secrets in them. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

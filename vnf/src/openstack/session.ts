import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import type { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { OpenStackError } from "./errors.ts";
import { type Http, type HttpAnswer, openHttp, originOf } from "./http.ts";
import { authenticate, detailOf, endpointOf, jsonOf, type Token } from "./keystone.ts";
import type { Pace } from "./pace.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A service by what the catalogue calls it, and how we call it. */
export interface Service {
  readonly type: string;
  readonly name: string;
}

export interface Call {
  readonly method: Method;
  /** Below the endpoint of the service, with a slash; or a whole URL of that service (links of a list). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; cannot be sent twice. */
  readonly stream?: Readable;
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Default 6. */
  readonly tries?: number;
  readonly signal?: AbortSignal;
}

export interface SessionModules {
  readonly pace: Pace;
  /** Default: undici with the TLS files of the cloud. */
  readonly http?: Http;
  /** Told of every retry. */
  readonly onRetry?: (reason: string, inMs: number) => void;
}

const TRIES = 6;
const PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
/** A token is renewed so long before its end. */
const RENEW_MS = 60_000;

/**
 * A project of a cloud: a token that is renewed before it expires and when it is refused, endpoints of the catalogue, and
 * retries. What changes nothing, and DELETE, is sent again after 429, 500, 502, 503, 504 and lost connections; anything
 * else only when it certainly was not done.
 */
export class OpenStackSession {
  readonly cloud: Cloud;
  readonly #http: Http;
  readonly #modules: SessionModules;
  #token: Token | undefined;
  #renewal: Promise<Token> | undefined;

  constructor(cloud: Cloud, modules: SessionModules) {
    this.cloud = cloud;
    this.#modules = modules;
    this.#http = modules.http ?? openHttp({ verify: cloud.verify, ...filesOf(cloud) });
  }

  async project(signal?: AbortSignal): Promise<{ readonly id: string; readonly name: string }> {
    const { project } = await this.#tokenNow(signal);
    if (project !== undefined) return project;
    throw new OpenStackError({
      code: "AUTHENTICATION",
      url: this.cloud.authUrl,
      detail: "the token is for no project; name one (OS_PROJECT_NAME)",
    });
  }

  async roles(signal?: AbortSignal): Promise<readonly string[]> {
    return (await this.#tokenNow(signal)).roles;
  }

  async endpoint(service: Service, signal?: AbortSignal): Promise<string> {
    return endpointOf(await this.#tokenNow(signal), service.type, this.cloud);
  }

  /** The answer of a call, when it is a 2xx. */
  async call(service: Service, call: Call): Promise<HttpAnswer> {
    const again = call.method === "GET" || call.method === "DELETE";
    const { tries = TRIES } = call;
    for (let turn = 1; ; turn++) {
      let pause = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (turn - 1));
      let reason: string;
      try {
        const answer = await this.#once(service, call);
        const { status } = answer;
        if (status >= 200 && status < 300) return answer;
        const refusal = this.#refusal(service, call, answer);
        const waits = status === 429 || (again && [500, 502, 503, 504].includes(status));
        if (!waits || turn === tries || call.stream !== undefined) throw refusal;
        const asked = Number(answer.headers["retry-after"]);
        if (asked > 0) pause = Math.min(PAUSE_MAX_MS, asked * 1_000);
        reason = refusal.message;
      } catch (error) {
        if (!(error instanceof OpenStackError) || error.detail.code !== "UNREACHABLE") throw error;
        const safe = again || !error.detail.maybeDone;
        if (!safe || turn === tries || call.stream !== undefined || /certificate/.test(error.detail.reason))
          throw error;
        reason = error.message;
      }
      this.#modules.onRetry?.(reason, pause);
      await this.#modules.pace.sleep(pause, call.signal);
    }
  }

  /** The answer of a call, read by a schema. */
  async read<S extends z.ZodType>(service: Service, call: Call, schema: S): Promise<z.output<S>> {
    const { text } = await this.call(service, call);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new OpenStackError({
      code: "ANSWER",
      service: service.name,
      url: originOf(await this.endpoint(service, call.signal)),
      problem: `${call.method} ${call.path}: ${issue?.path.join(".") || "the answer"}: ${issue?.message ?? ""}`,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  /** One try, and a second one with a new token when the old one is refused. */
  async #once(service: Service, call: Call): Promise<HttpAnswer> {
    const token = await this.#tokenNow(call.signal);
    const first = await this.#send(service, call, token);
    if (first.status !== 401 || call.stream !== undefined) return first;
    if (this.#token === token) this.#token = undefined;
    return this.#send(service, call, await this.#tokenNow(call.signal));
  }

  #send(service: Service, call: Call, token: Token): Promise<HttpAnswer> {
    const base = endpointOf(token, service.type, this.cloud);
    const url = new URL(/^https?:/.test(call.path) ? call.path : `${base}${call.path}`);
    for (const [key, value] of Object.entries(call.query ?? {})) url.searchParams.set(key, value);
    const body = call.stream ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
    return this.#http.send({
      service: service.name,
      method: call.method,
      url: url.href,
      headers: {
        accept: "application/json",
        "x-auth-token": token.value,
        ...(call.json === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      timeoutMs: call.timeoutMs ?? 60_000,
      ...(body === undefined ? {} : { body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
  }

  #refusal(service: Service, { method, path }: Call, { status, text }: HttpAnswer): OpenStackError {
    const shown = path.replace(/^https?:\/\/[^/]+/, "").replace(/\?.*$/, "");
    return new OpenStackError({
      code: "REFUSED",
      service: service.name,
      method,
      path: shown,
      status,
      detail: detailOf(text),
    });
  }

  #tokenNow(signal?: AbortSignal): Promise<Token> {
    const token = this.#token;
    if (token !== undefined && token.expires - this.#modules.pace.now() > RENEW_MS)
      return Promise.resolve(token);
    this.#renewal ??= this.#renew(signal).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renew(signal?: AbortSignal): Promise<Token> {
    for (let turn = 1; ; turn++)
      try {
        this.#token = await authenticate(this.#http, this.cloud, 30_000, signal);
        return this.#token;
      } catch (error) {
        const fault = error instanceof OpenStackError ? error.detail : undefined;
        const passing =
          (fault?.code === "UNREACHABLE" && !/certificate|not known/.test(fault.reason)) ||
          (fault?.code === "REFUSED" && fault.status >= 500);
        if (!passing || turn === TRIES) throw error;
        const pause = PAUSE_MS * 2 ** (turn - 1);
        this.#modules.onRetry?.(error instanceof Error ? error.message : "", pause);
        await this.#modules.pace.sleep(pause, signal);
      }
  }
}

function filesOf(cloud: Cloud): { ca?: string; certificate?: string; key?: string } {
  const read = (path: string, what: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new OpenStackError({
        code: "CLOUD_CONFIG",
        problem: `${what} ${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}`,
      });
    }
  };
  return {
    ...(cloud.caFile === undefined ? {} : { ca: read(cloud.caFile, "cacert") }),
    ...(cloud.certificateFile === undefined ? {} : { certificate: read(cloud.certificateFile, "cert") }),
    ...(cloud.keyFile === undefined ? {} : { key: read(cloud.keyFile, "key") }),
  };
}

/** For options whose signal may be left out but not undefined. */
export function signalOf(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

import http from "node:http";
import https from "node:https";
import type { Clock } from "@ims/runtime";
import type { Endpoint } from "./endpoint.ts";
import { type Json, object } from "./wire.ts";

/** PEM texts for https endpoints. */
export interface EtcdTls {
  /** Who must have signed the certificates of etcd. */
  readonly ca: string;
  /** Ours, when etcd asks clients for one. */
  readonly cert?: string;
  readonly key?: string;
}

export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly json: Json }
  /** `sent`: the request may have reached etcd. */
  | { readonly kind: "lost"; readonly sent: boolean; readonly problem: string };

export type Opened =
  | { readonly kind: "open"; readonly response: http.IncomingMessage }
  | { readonly kind: "lost"; readonly sent: boolean; readonly problem: string };

/** Longest answer and longest message of a stream, bytes: what is parsed within one turn of the loop. */
const MAX_ANSWER = 4 * 1024 * 1024;

const KEEP = { keepAlive: true, maxFreeSockets: 4 };

function secureAgent(tls: EtcdTls = { ca: "" }): https.Agent {
  const { ca, ...own } = tls;
  return new https.Agent({ ...KEEP, minVersion: "TLSv1.2", ...own, ...(ca === "" ? {} : { ca }) });
}

/**
 * POST of JSON to one endpoint, with a deadline. Not `fetch`: it takes no client certificates without a further package, and
 * ends a quiet watch after five minutes.
 */
export class Transport {
  readonly #clock: Clock;
  readonly #agents: { readonly http: http.Agent; https: https.Agent };

  constructor(clock: Clock, tls?: EtcdTls) {
    this.#clock = clock;
    this.#agents = { http: new http.Agent(KEEP), https: secureAgent(tls) };
  }

  /** Connections that are made from now on are made with these; those that are there serve on. */
  useTls(tls: EtcdTls): void {
    const before = this.#agents.https;
    this.#agents.https = secureAgent(tls);
    before.maxFreeSockets = 0;
    for (const sockets of Object.values(before.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  /** The whole answer. Never rejects. */
  async post(endpoint: Endpoint, path: string, body: Json, timeoutMs: number): Promise<Reply> {
    const abort = new AbortController();
    const timer = this.#clock.setTimer(timeoutMs, () => abort.abort());
    try {
      const opened = await this.#open(endpoint, path, body, abort.signal);
      if (opened.kind === "lost") return opened;
      const { response } = opened;
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > MAX_ANSWER) return { kind: "lost", sent: true, problem: "the answer is too long" };
        chunks.push(chunk);
      }
      return {
        kind: "answer",
        status: response.statusCode ?? 0,
        json: object(JSON.parse(Buffer.concat(chunks).toString("utf8"))),
      };
    } catch (error) {
      return {
        kind: "lost",
        sent: true,
        problem: abort.signal.aborted ? "no answer in time" : problemOf(error),
      };
    } finally {
      timer.cancel();
    }
  }

  /** An answer that goes on until `signal` aborts; the deadline is for its beginning. */
  async open(
    endpoint: Endpoint,
    path: string,
    body: Json,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Opened> {
    const abort = new AbortController();
    const timer = this.#clock.setTimer(timeoutMs, () => abort.abort());
    try {
      return await this.#open(endpoint, path, body, AbortSignal.any([signal, abort.signal]));
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #open(endpoint: Endpoint, path: string, body: Json, signal: AbortSignal): Promise<Opened> {
    return new Promise((resolve) => {
      let sent = false;
      const text = JSON.stringify(body);
      const request = (endpoint.secure ? https : http).request({
        host: endpoint.host,
        port: endpoint.port,
        path,
        method: "POST",
        agent: endpoint.secure ? this.#agents.https : this.#agents.http,
        signal,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
          // A member that has lost the others says so at once, and ends watches that would stay silent.
          "grpc-metadata-hasleader": "true",
        },
      });
      request.on("socket", (socket) => {
        if (socket.connecting) socket.once("connect", () => (sent = true));
        else sent = true;
      });
      request.on("response", (response) => resolve({ kind: "open", response }));
      // After the answer has begun its reader is told; this listener keeps the process alive.
      request.on("error", (error) => {
        const problem = signal.aborted ? "no answer in time" : problemOf(error);
        resolve({ kind: "lost", sent, problem });
      });
      request.end(text);
    });
  }
}

/** Messages of a stream: JSON texts, each ended by a line feed. Throws when the stream breaks. */
export async function* messagesOf(response: http.IncomingMessage): AsyncGenerator<Json> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      length = 0;
      from = end + 1;
      if (line.trim() !== "") yield object(JSON.parse(line));
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_ANSWER) throw new RangeError("a message of the stream is too long");
  }
}

export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

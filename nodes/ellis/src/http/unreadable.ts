import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "./refusal.ts";
import { refusalDocument, refuse } from "./replies.ts";

/** Of every answer, unless a page says otherwise: nothing of it is run, framed, guessed at or kept. */
export const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** What is no HTTP at all gets its answer, and whoever sends on is cut off after so long, ms. */
const LEAVES_MS = 1_000;

/** For fastify's `frameworkErrors`: what it answers before there is a route, and so no hook. */
export function frameworkRefusal(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  reply.headers(SECURITY_HEADERS);
  refuse(request, reply, new Refusal(status, status < 500 ? wordsFor(status) : "See the log of ellis"));
}

/** What node:http would answer by itself, without our headers: bytes that are no request, Expect, CONNECT. */
export class Unreadable {
  /** Requests of a connection that have no whole answer yet. */
  readonly #open = new WeakMap<Duplex, Set<ServerResponse>>();
  readonly #answered = new WeakSet<Duplex>();

  watch(server: Server): void {
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      const open = this.#open.get(request.socket) ?? new Set();
      this.#open.set(request.socket, open.add(response));
      response.once("close", () => open.delete(response));
    });
    server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
      const { headers, body } = answerOf(417);
      response.writeHead(417, headers).end(body);
    });
    server.on("connect", (_request: IncomingMessage, socket: Duplex) => this.#answer(socket, 405));
  }

  /** For fastify's `clientErrorHandler`. */
  readonly refuse = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === "ECONNRESET" || socket.destroyed || this.#answered.has(socket)) {
      // Of who is being answered the rest is passed over.
      if (!this.#answered.has(socket)) socket.destroy();
      return;
    }
    // An answer in the middle of another one, or instead of one, would be taken for that.
    const open = [...(this.#open.get(socket) ?? [])];
    if (open.some((response) => response.headersSent || response.req.complete)) socket.destroy();
    else this.#answer(socket, statusOf(error));
  };

  #answer(socket: Duplex, status: number): void {
    this.#answered.add(socket);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { headers, body } = answerOf(status);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
    // Closed at once, the answer would be lost with what has not been read.
    const timer = setTimeout(() => socket.destroy(), LEAVES_MS);
    socket.once("close", () => clearTimeout(timer)).on("error", () => undefined);
    socket.resume();
  }
}

function answerOf(status: number): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const body = JSON.stringify(refusalDocument(new Refusal(status, wordsFor(status))));
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...SECURITY_HEADERS,
    connection: "close",
  };
  return { headers, body };
}

function statusOf({ code }: NodeJS.ErrnoException): number {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return 413;
    default:
      return 400;
  }
}

function wordsFor(status: number): string {
  switch (status) {
    case 405:
      return "This is no proxy";
    case 408:
      return "The request did not come to its end in time";
    case 413:
      return "The request is too large";
    case 414:
      return "The path is too long";
    case 417:
      return "Expect: only 100-continue is known";
    case 431:
      return "The header is too large";
    default:
      return "This is no request that can be read";
  }
}

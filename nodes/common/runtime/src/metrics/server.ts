import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "../health.ts";
import { clientName } from "../http/client-name.ts";
import { type ManagementAnswer, type ManagementRoute, refused, text } from "../management/route.ts";
import type { Service } from "../service.ts";
import type { MetricsRegister } from "./register.ts";
import { admission, type Resource, type ResourceAnswer } from "./resources.ts";
import { ScrapeTurns } from "./scrape-turns.ts";

export interface ManagementServerOptions {
  /** Loopback unless told otherwise: metrics and health carry no authentication. */
  readonly address: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** What callers of resources must present; needed beyond loopback. */
  readonly token?: string | undefined;
}

export type { ManagementAnswer } from "../management/route.ts";

export interface ManagementServer extends Service {
  /** The port listened on; 0 before start. */
  readonly port: number;
  /** Further things a node tells, by the first part of the path, to who is admitted (resources.ts). */
  serve(resources: ReadonlyMap<string, Resource>): void;
}

export interface ManagementServerModules {
  readonly register: MetricsRegister;
  readonly health: Health;
  /** What else it answers, and does. */
  readonly routes?: readonly ManagementRoute[];
}

/** Longest body of a request. */
const MAX_BODY = 65_536;

/** GET /metrics, /health/live, /health/ready and resources, and the routes given. Keeps answering while the process quiesces. */
export function managementServer(
  options: ManagementServerOptions,
  { register, health, routes = [] }: ManagementServerModules,
): ManagementServer {
  const server = createServer((request, response) => void respond(request, response));
  const paths = ["/metrics", "/health/live", "/health/ready", ...new Set(routes.map(({ path }) => path))];
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxHeadersCount = 100;
  let port = 0;
  const admit = admission(options.address, options.token);
  const resources = new Map<string, Resource>();
  const scrapes = new ScrapeTurns(() => register.scrape());

  function unknown(): ManagementAnswer {
    return text(404, `try ${paths.slice(0, -1).join(", ")} or ${paths.at(-1)}\n`);
  }

  async function resource(request: IncomingMessage, path: string): Promise<ManagementAnswer | undefined> {
    const slash = path.indexOf("/", 1);
    const found = slash < 0 ? undefined : resources.get(path.slice(1, slash));
    if (found === undefined) return undefined;
    const refused = admit(request);
    if (refused !== undefined) return text(refused.status, `${refused.detail}\n`);
    const name = decoded(path.slice(slash + 1));
    return name === undefined ? text(400, "a path that is no UTF-8\n") : answerOf(await found(name));
  }

  async function scrape(request: IncomingMessage, response: ServerResponse): Promise<ManagementAnswer> {
    const taken = new Promise((resolve) => response.once("close", resolve));
    const body = await scrapes.text(clientName(request.socket.remoteAddress ?? ""), taken);
    if (body === undefined) return text(503, "others are being told: ask less often\n");
    return { status: 200, type: register.contentType, body };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<ManagementAnswer> {
    const [path = "/", ...query] = (request.url ?? "/").split("?");
    const ours = routes.filter((route) => route.path === path);
    if (ours.length > 0) return routed(ours, request, query.join("?"));
    if (request.method !== "GET" && request.method !== "HEAD") return text(405, "only GET and HEAD\n");
    switch (path) {
      case "/metrics":
        return scrape(request, response);
      case "/health/live":
        return health.state === "failed" ? text(503, "failed\n") : text(200, "live\n");
      case "/health/ready": {
        const reasons = health.reasons();
        const ready = reasons.length === 0;
        const lines = [...(ready ? ["ready"] : reasons), ...health.notes()];
        return text(ready ? 200 : 503, `${lines.join("\n")}\n`);
      }
      default:
        return (await resource(request, path)) ?? unknown();
    }
  }

  async function routed(
    ours: readonly ManagementRoute[],
    request: IncomingMessage,
    query: string,
  ): Promise<ManagementAnswer> {
    const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
    const route = ours.find(({ methods }) => methods.some((one) => one === method));
    if (route === undefined) return refused(405, `only ${ours.flatMap(({ methods }) => methods).join(", ")}`);
    const stranger = route.restricted === true ? admit(request) : undefined;
    if (stranger !== undefined) return refused(stranger.status, stranger.detail);
    const body = await bodyOf(request);
    if (body === undefined) return refused(413, `${MAX_BODY} bytes at most`);
    return route.answer({ method, query: new URLSearchParams(query), body });
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await answer(request, response).catch((error: unknown) =>
      refused(500, String(error)),
    );
    request.resume();
    response.writeHead(status, {
      "content-type": type,
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  return {
    get port() {
      return port;
    },
    serve(more) {
      for (const [name, one] of more) resources.set(name, one);
    },
    start() {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: options.address, port: options.port, exclusive: true }, () => {
          server.removeListener("error", reject);
          port = (server.address() as AddressInfo).port;
          resolve();
        });
      });
    },
    async quiesce() {},
    stop() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

const STATUS = { wrong: 400, notFound: 404, unavailable: 503 } as const;

function answerOf(answer: ResourceAnswer): ManagementAnswer {
  if (answer.kind !== "found") return text(STATUS[answer.kind], `${answer.detail}\n`);
  return { status: 200, type: "application/json; charset=utf-8", body: JSON.stringify(answer.document) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Undefined: it is too long; what is left of it is thrown away. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

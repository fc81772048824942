import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "../health.ts";
import type { Service } from "../service.ts";
import type { MetricsRegister } from "./register.ts";
import { admission, type Resource, type ResourceAnswer } from "./resources.ts";

export interface ManagementServerOptions {
  /** Loopback unless told otherwise: metrics and health carry no authentication. */
  readonly address: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** What callers of resources must present; needed beyond loopback. */
  readonly token?: string | undefined;
}

/** What a page of the management port answers. */
export interface ManagementAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface ManagementServer extends Service {
  /** The port listened on; 0 before start. */
  readonly port: number;
  /** One more page that can be got. */
  addPage(path: string, page: (query: URLSearchParams) => Promise<ManagementAnswer>): void;
  /** Further things a node tells, by the first part of the path, to who is admitted (resources.ts). */
  serve(resources: ReadonlyMap<string, Resource>): void;
}

/** GET /metrics, /health/live, /health/ready, pages and resources. Keeps answering while the process quiesces. */
export function managementServer(
  options: ManagementServerOptions,
  { register, health }: { readonly register: MetricsRegister; readonly health: Health },
): ManagementServer {
  const server = createServer((request, response) => void respond(request, response));
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxHeadersCount = 100;
  const pages = new Map<string, (query: URLSearchParams) => Promise<ManagementAnswer>>();
  let port = 0;
  const admit = admission(options.address, options.token);
  const resources = new Map<string, Resource>();

  function unknown(): ManagementAnswer {
    const known = ["/metrics", "/health/live", "/health/ready", ...pages.keys()];
    return text(404, `try ${known.slice(0, -1).join(", ")} or ${known.at(-1)}\n`);
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

  async function answer(request: IncomingMessage): Promise<ManagementAnswer> {
    const [path = "/", ...query] = (request.url ?? "/").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") return text(405, "only GET and HEAD\n");
    switch (path) {
      case "/metrics":
        return { status: 200, type: register.contentType, body: await register.scrape() };
      case "/health/live":
        return health.state === "failed" ? text(503, "failed\n") : text(200, "live\n");
      case "/health/ready": {
        const reasons = health.reasons();
        const ready = reasons.length === 0;
        const lines = [...(ready ? ["ready"] : reasons), ...health.notes()];
        return text(ready ? 200 : 503, `${lines.join("\n")}\n`);
      }
      default: {
        const page = pages.get(path);
        if (page !== undefined) return page(new URLSearchParams(query.join("?")));
        return (await resource(request, path)) ?? unknown();
      }
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const { status, type, body } = await answer(request).catch((error: unknown) =>
      text(500, `${String(error)}\n`),
    );
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
    addPage: (path, page) => void pages.set(path, page),
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

function text(status: number, body: string): ManagementAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

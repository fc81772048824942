import { hash, timingSafeEqual } from "node:crypto";
import { openApiDocument } from "@ims/api";
import { type HttpAdmission, HttpBusyError, runtimeProblems, type Service } from "@ims/runtime";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { authenticationRoutes } from "./authentication-routes.ts";
import { homesteadProvRoutes } from "./homestead-prov/homestead-prov-routes.ts";
import { importRoute } from "./import-route.ts";
import { HttpProblem } from "./problem.ts";
import { type RouteModules, subscriberRoutes } from "./subscriber-routes.ts";

export type ProvisioningServerOptions = {
  readonly address: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** Bearer token callers must present; undefined on loopback only. */
  readonly token: string | undefined;
  /** Realm of SIP Digest. */
  readonly realm: string;
  /** Undefined: everything is taken. */
  readonly admission?: HttpAdmission;
};

export type ProvisioningServer = Service & { readonly port: number };

const MAX_BODY = 8 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 2;

/** The provisioning API: @ims/api is its contract, errors are problem details (RFC 9457). */
export function provisioningServer(
  options: ProvisioningServerOptions,
  modules: RouteModules,
): ProvisioningServer {
  const app = fastify({
    bodyLimit: MAX_BODY,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    // Names such as __proto__ in a body are refused.
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
  });
  // Only JSON: a form or plain text could be sent by any web page.
  app.removeContentTypeParser("text/plain");
  const document = openApiDocument();
  if (options.admission !== undefined) guardServer(app, options.admission);
  app.addHook("onRequest", async (request) => admit(request, options.token));
  reportProblems(app, modules);
  app.get("/openapi.json", async () => document);
  subscriberRoutes(app, options.realm, modules);
  importRoute(app, options.realm, modules);
  authenticationRoutes(app, modules);
  homesteadProvRoutes(app, options.realm, modules);
  let port = 0;
  return {
    get port() {
      return port;
    },
    async start() {
      await app.listen({ host: options.address, port: options.port });
      const address = app.server.address();
      port = typeof address === "object" && address !== null ? address.port : options.port;
    },
    async quiesce() {},
    async stop() {
      await app.close();
    },
    ports: () => ({ provisioning: port }),
  };
}

function guardServer(app: FastifyInstance, admission: HttpAdmission): void {
  const hooks = admission.hooks("normal");
  admission.guard(app.server);
  app.addHook("onRequest", hooks.onRequest);
  app.addHook("preHandler", hooks.preHandler);
  app.addHook("onSend", hooks.onSend);
}

/** The token where there is one. Without one, pages in a browser on this machine are kept out: they send Origin. */
async function admit(request: FastifyRequest, token: string | undefined): Promise<void> {
  if (token === undefined) {
    if (request.headers.origin === undefined) return;
    throw new HttpProblem(403, "Not from a web page", "requests with an Origin need a token");
  }
  const given = hash("sha256", request.headers.authorization ?? "", "buffer");
  if (timingSafeEqual(given, hash("sha256", `Bearer ${token}`, "buffer"))) return;
  throw new HttpProblem(401, "Not authorized", "present the token as Authorization: Bearer");
}

function reportProblems(app: FastifyInstance, { log }: RouteModules): void {
  const write = (status: number, title: string, detail: string) => ({
    type: "about:blank",
    title,
    status,
    detail,
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type("application/problem+json")
      .send(write(404, "No such resource", `${request.method} ${request.url.slice(0, 200)}`)),
  );
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof HttpBusyError)
      return reply
        .code(503)
        .header("retry-after", error.retryAfterSeconds)
        .type("application/problem+json")
        .send(write(503, "Too much to do", error.message));
    const status =
      error instanceof HttpProblem ? error.status : ((error as { statusCode?: number }).statusCode ?? 500);
    const title = error instanceof HttpProblem ? error.title : status < 500 ? "Wrong request" : "Failed";
    if (status === 503)
      log.warn(
        { reason: title, problemId: runtimeProblems.requestFailed.id },
        "provisioning request refused",
      );
    else if (status >= 500)
      log.error({ err: error, problemId: runtimeProblems.requestFailed.id }, "provisioning request failed");
    const detail =
      error instanceof HttpProblem || (status < 500 && error instanceof Error)
        ? error.message.slice(0, 2_000)
        : "see the log of homestead";
    if (status === 401) reply.header("www-authenticate", "Bearer");
    if (status === 503) reply.header("retry-after", RETRY_AFTER_SECONDS);
    return reply
      .code(status)
      .type("application/problem+json")
      .send(write(status, title, detail));
  });
}

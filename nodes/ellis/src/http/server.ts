import { ellisOpenApiDocument } from "@ims/api";
import { type HttpAdmission, HttpBusyError, type Logger, runtimeProblems } from "@ims/runtime";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { AuditLog } from "../audit/audit-log.ts";
import type { EllisCounters, Resource } from "../metrics.ts";
import { type AccountModules, accountRoutes } from "./account-routes.ts";
import { refuseForeignPages } from "./admission.ts";
import { type AuditModules, auditing } from "./audit.ts";
import { auditRoutes } from "./audit-routes.ts";
import { busyPage } from "./busy-page.ts";
import { type CoreModules, coreRoutes } from "./core-routes.ts";
import { type DocumentModules, documentRoutes } from "./document-routes.ts";
import { type ImportModules, importRoutes } from "./import-routes.ts";
import { type NumberModules, numberRoutes } from "./number-routes.ts";
import { pageRoutes } from "./page-routes.ts";
import { type PhoneModules, phoneRoutes } from "./phone-routes.ts";
import { type RangeModules, rangeRoutes } from "./range-routes.ts";
import { Refusal, tooMany } from "./refusal.ts";
import { refuse } from "./replies.ts";
import { serviceRoutes } from "./service-routes.ts";
import { admitStaff } from "./staff-admission.ts";
import { type StaffModules, staffRoutes } from "./staff-routes.ts";
import { type SubscriberModules, subscriberRoutes } from "./subscriber-routes.ts";
import { type TurnModules, turnRoutes } from "./turn-routes.ts";
import { frameworkRefusal, SECURITY_HEADERS, Unreadable } from "./unreadable.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly resource?: Resource;
  }
}

export interface EllisServerOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly trustedProxies: readonly string[];
}

export interface EllisServerModules
  extends AccountModules,
    NumberModules,
    CoreModules,
    DocumentModules,
    RangeModules,
    SubscriberModules,
    ImportModules,
    StaffModules,
    AuditModules,
    PhoneModules,
    TurnModules {
  readonly audit: AuditLog;
  readonly counters: EllisCounters;
  /** Of the portal, by name. */
  readonly pages: ReadonlyMap<string, Buffer>;
  readonly log: Logger;
  readonly admission: HttpAdmission;
}

/** A route, as it says itself who may ask and what it is called in the audit log. */
export interface ServedRoute {
  readonly method: string;
  /** With parameters as fastify writes them. */
  readonly url: string;
  readonly resource: string | undefined;
  readonly role: string | undefined;
  readonly audit: string | undefined;
}

const MAX_BODY = 65_536;

/** The API of Clearwater's Ellis over HTTP or HTTPS; errors are JSON objects as there. */
export function ellisServer(options: EllisServerOptions, modules: EllisServerModules) {
  const { tls, trustedProxies } = options;
  const { log, counters, allowedOrigins, admission } = modules;
  const unreadable = new Unreadable();
  // Requests without Host are refused by us: node:http would do it without our headers.
  const own = { requireHostHeader: false } as const;
  const app: FastifyInstance = fastify({
    frameworkErrors: (error, request, reply) => {
      frameworkRefusal(error, request, reply);
      counters.request("other", reply.statusCode);
    },
    clientErrorHandler: (error, socket) => unreadable.refuse(error, socket),
    return503OnClosing: false,
    bodyLimit: MAX_BODY,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 600 },
    ...(tls === undefined ? { http: own } : { https: { ...own, ...tls, minVersion: "TLSv1.2" } }),
  }) as unknown as FastifyInstance;
  const routes: ServedRoute[] = [];
  app.addHook("onRoute", ({ method, url, config }) => {
    for (const each of [method].flat())
      routes.push({
        method: each,
        url,
        resource: config?.resource,
        role: config?.role,
        audit: config?.audit,
      });
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    // RFC 9112 §3.2.
    if (request.raw.httpVersion === "1.1" && request.headers.host === undefined)
      throw new Refusal(400, "The Host header is missing");
    refuseForeignPages(request, allowedOrigins);
  });
  const [hooks, files] = [admission.hooks("normal"), admission.hooks("files")];
  admission.guard(app.server);
  unreadable.watch(app.server);
  app.addHook("onRequest", (request, reply) => (isPage(request) ? files : hooks).onRequest(request, reply));
  auditing(app, modules);
  admitStaff(app, modules);
  app.addHook("preHandler", hooks.preHandler);
  app.addHook("onSend", hooks.onSend);
  app.addHook("onResponse", async (request, reply) =>
    counters.request(request.routeOptions.config.resource ?? "other", reply.statusCode),
  );
  app.setNotFoundHandler((request, reply) => refuse(request, reply, new Refusal(404, "No such resource")));
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof Refusal) return refuse(request, reply, error);
    if (error instanceof HttpBusyError)
      return isPage(request) && (request.headers.accept ?? "").includes("text/html")
        ? busyPage(reply, error.retryAfterSeconds)
        : refuse(request, reply, tooMany(503, error.retryAfterSeconds));
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500)
      log.error({ err: error, problemId: runtimeProblems.requestFailed.id }, "request failed");
    const reason =
      status < 500 && error instanceof Error ? error.message.slice(0, 300) : "See the log of ellis";
    return refuse(request, reply, new Refusal(status, reason));
  });
  const document = ellisOpenApiDocument();
  app.get("/openapi.json", async () => document);
  app.get("/ping", async (_request, reply) => reply.type("text/plain").send("OK"));
  accountRoutes(app, modules);
  numberRoutes(app, modules);
  documentRoutes(app, modules);
  rangeRoutes(app, modules);
  turnRoutes(app, modules);
  staffRoutes(app, modules);
  auditRoutes(app, modules);
  subscriberRoutes(app, modules);
  serviceRoutes(app, modules);
  importRoutes(app, modules);
  phoneRoutes(app, modules);
  coreRoutes(app, modules);
  pageRoutes(app, modules.pages);
  let port = 0;
  return {
    /** Complete once it is started. */
    routes: routes as readonly ServedRoute[],
    get port(): number {
      return port;
    },
    async start(): Promise<void> {
      await app.listen({ host: options.host, port: options.port });
      const address = app.server.address();
      port = typeof address === "object" && address !== null ? address.port : options.port;
    },
    stop: (): Promise<void> => app.close().then(() => undefined),
  };
}

/** A file of the pages, from memory. */
function isPage(request: FastifyRequest): boolean {
  return request.routeOptions.config.resource === "pages";
}

import { canonicalImpu, decodeUtf8 } from "@ims/ims";
import { type HttpAdmission, HttpBusyError, type Logger, runtimeProblems } from "@ims/runtime";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { CALL_LIST_NAME, CALL_LIST_USAGE } from "../call-list/call-list-document.ts";
import type { CallLists } from "../call-list/call-lists.ts";
import type { HomerCounters, Outcome } from "../metrics.ts";
import type { Owners } from "../owners.ts";
import {
  applicationUsage,
  CAPABILITIES_DOCUMENT,
  CAPABILITIES_TYPE,
  SIMSERVS_NAME,
  SIMSERVS_TYPE,
} from "../xcap/application-usages.ts";
import type { Answer, Content, Documents } from "../xcap/documents.ts";
import { XCAP_ERROR_TYPE, type XcapConflict, xcapErrorDocument } from "../xcap/xcap-error.ts";
import { parseXcapUri, type XcapUri } from "../xcap/xcap-uri.ts";
import type { Requester } from "./authentication.ts";
import { addFragmentsRoute, respondWithCallList } from "./call-list-routes.ts";

export interface XcapServerOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  readonly point: "ut" | "core";
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly admission: HttpAdmission;
}

export interface XcapServerModules {
  readonly documents: Documents;
  readonly owners: Owners;
  /** Undefined: there are none. */
  readonly callLists: CallLists | undefined;
  readonly counters: HomerCounters;
  readonly log: Logger;
  /** "trusted": a node of the core, which may do anything. */
  readonly requester: (request: FastifyRequest) => Promise<Requester | "trusted">;
}

const MAX_BODY = 65_536;
const RETRY_AFTER_SECONDS = 2;
const GUESSING_SECONDS = 60;

const TYPES: Readonly<Record<Content, string>> = {
  document: SIMSERVS_TYPE,
  element: "application/xcap-el+xml",
  attribute: "application/xcap-att+xml",
  namespaces: "application/xcap-ns+xml",
};

export type Respond = (
  status: number,
  outcome: Outcome,
  body?: string | Uint8Array,
  type?: string,
) => FastifyReply;

/** XCAP over HTTP: RFC 4825 §8 for simservs (TS 24.623). */
export function xcapServer(options: XcapServerOptions, modules: XcapServerModules) {
  const { counters, log, callLists } = modules;
  const { point, tls } = options;
  const app = fastify({
    bodyLimit: MAX_BODY,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    ...(tls === undefined ? {} : { https: { ...tls, minVersion: "TLSv1.2" } }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  // What the core asks for belongs to calls that have begun.
  const hooks = options.admission.hooks(point === "core" ? "privileged" : "normal");
  options.admission.guard(app.server);
  app.addHook("onRequest", hooks.onRequest);
  app.addHook("preHandler", hooks.preHandler);
  app.addHook("onSend", hooks.onSend);
  const responder =
    (reply: FastifyReply): Respond =>
    (status, outcome, body = "", type = "text/plain; charset=utf-8") => {
      counters.request(point, outcome);
      if (body.length === 0) return reply.code(status).send();
      return reply.code(status).type(type).send(Buffer.from(body));
    };
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof HttpBusyError) {
      reply.header("retry-after", error.retryAfterSeconds);
      return responder(reply)(503, "unavailable", `${error.message}\n`);
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500)
      log.error({ err: error, problemId: runtimeProblems.requestFailed.id }, "request failed");
    const detail =
      status < 500 && error instanceof Error ? error.message.slice(0, 300) : "see the log of homer";
    return responder(reply)(status, status < 500 ? "refused" : "failed", `${detail}\n`);
  });
  if (callLists !== undefined && point === "core")
    addFragmentsRoute(app, {
      ...{ callLists, responder },
      mayWrite: async (request) => (await modules.requester(request)) === "trusted",
    });
  app.all("/*", async (request, reply) => {
    const respond = responder(reply);
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method !== "GET" && method !== "PUT" && method !== "DELETE") {
      reply.header("allow", "GET, PUT, DELETE");
      return respond(405, "refused");
    }
    const uri = parseXcapUri(request.raw.url ?? "");
    if (typeof uri === "string") return respond(404, "notFound", `${uri}\n`);
    const requester = await modules.requester(request);
    if (requester !== "trusted" && requester.kind !== "user") return refuse(requester, reply, respond);
    const usage = applicationUsage(uri.auid);
    if (
      usage === "capabilities" &&
      uri.tree === "global" &&
      uri.documentName === "index" &&
      uri.node === undefined
    ) {
      if (method === "GET") return respond(200, "served", CAPABILITIES_DOCUMENT, CAPABILITIES_TYPE);
      reply.header("allow", "GET");
      return respond(405, "refused");
    }
    const canonical = uri.tree === "users" ? canonicalImpu(uri.xui) : undefined;
    const isCallList =
      callLists !== undefined &&
      uri.auid === CALL_LIST_USAGE &&
      uri.documentName === CALL_LIST_NAME &&
      uri.node === undefined;
    const isSimservs = usage === "simservs" && uri.documentName === SIMSERVS_NAME;
    if (canonical === undefined || (!isSimservs && !isCallList))
      return respond(
        404,
        "notFound",
        "there is no such document here: /simservs.ngn.etsi.org/users/<public identity>/simservs.xml\n",
      );
    if (requester !== "trusted" && !requester.identities.includes(canonical))
      return respond(403, "forbidden", "the document is somebody else's\n");
    if (isCallList && method !== "GET") {
      reply.header("allow", "GET");
      return respond(405, "refused");
    }
    const owner = await modules.owners.of(canonical);
    if (owner.kind === "unavailable") return respondTo({ kind: "unavailable" }, reply, respond);
    if (owner.kind === "unknown") return respond(404, "notFound", "nobody has this public identity\n");
    if (isCallList)
      return respondWithCallList(request, reply, respond, { owner: owner.canonical, callLists });
    const answer = await serve(method, request, uri, owner.canonical, modules.documents);
    return respondTo(answer, reply, respond);
  });
  let port = 0;
  return {
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

async function serve(
  method: "GET" | "PUT" | "DELETE",
  request: FastifyRequest,
  uri: XcapUri,
  owner: string,
  documents: Documents,
): Promise<Answer> {
  const given = {
    uri,
    owner,
    ifMatch: request.headers["if-match"],
    ifNoneMatch: request.headers["if-none-match"],
  };
  if (method === "GET") return documents.get(given);
  if (method === "DELETE") return documents.delete(given);
  const octets = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const body = decodeUtf8(octets);
  if (body === undefined)
    return { kind: "conflict", conflict: { element: "not-utf-8", phrase: "the body is not UTF-8" } };
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const content = (Object.keys(TYPES) as Content[]).find((each) => TYPES[each] === type);
  return documents.put({ ...given, content, body });
}

function refuse(
  requester: Exclude<Requester, { kind: "user" }>,
  reply: FastifyReply,
  respond: Respond,
): FastifyReply {
  switch (requester.kind) {
    case "challenge":
      reply.header("www-authenticate", requester.challenges);
      return respond(401, "challenged");
    case "forbidden":
      return respond(403, "forbidden", `${requester.problem}\n`);
    case "tooMany":
      reply.header("retry-after", GUESSING_SECONDS);
      return respond(429, "refused", "too many wrong passwords\n");
    case "unavailable":
      reply.header("retry-after", RETRY_AFTER_SECONDS);
      return respond(503, "unavailable", "nobody can be authenticated now\n");
  }
}

function respondTo(answer: Answer, reply: FastifyReply, respond: Respond): FastifyReply {
  if ("etag" in answer && answer.etag !== undefined) reply.header("etag", answer.etag);
  switch (answer.kind) {
    case "content":
      return respond(200, "served", answer.body, TYPES[answer.of]);
    case "changed":
      return respond(answer.created ? 201 : 200, answer.created ? "created" : "changed");
    case "removed":
      return respond(200, "removed");
    case "notModified":
      return respond(304, "unchanged");
    case "notFound":
      return respond(404, "notFound");
    case "preconditionFailed":
      return respond(412, "precondition");
    case "wrongType":
      return respond(415, "refused", `write Content-Type: ${TYPES[answer.wanted]}\n`);
    case "notAllowed":
      reply.header("allow", "GET");
      return respond(405, "refused");
    case "badUri":
      return respond(400, "refused", `${answer.problem}\n`);
    case "conflict":
      return conflict(answer.conflict, respond);
    case "contention":
      reply.header("retry-after", 1);
      return respond(503, "unavailable", "others change the same document; try again\n");
    case "unavailable":
      reply.header("retry-after", RETRY_AFTER_SECONDS);
      return respond(503, "unavailable", "the documents cannot be read now\n");
  }
}

function conflict(given: XcapConflict, respond: Respond): FastifyReply {
  return respond(409, "conflict", xcapErrorDocument(given), XCAP_ERROR_TYPE);
}

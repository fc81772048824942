import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Indicator } from "../sol001/vnfd-facts.ts";
import { type Coordination, Coordinations, coordinationRequest } from "./coordination.ts";
import type { Drain } from "./drain.ts";
import { indicatorValue } from "./indicators.ts";
import type { MembersReading } from "./member.ts";

export interface EmServerOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** Identifier of the instance in the VNF manager; others are not known. Default: any. */
  readonly vnfInstanceId?: string;
  /** What a client has to show (Authorization: Bearer); default: nothing is asked for. */
  readonly token?: string;
  /** PEM. */
  readonly tls?: { readonly key: string; readonly certificate: string };
}

export interface EmServerModules {
  readonly drain: Drain;
  readonly members: () => MembersReading;
  readonly indicators: readonly Indicator[];
}

export interface EmServer {
  readonly port: number;
  readonly origin: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const BODY_MAX = 64 * 1024;
const VERSIONS = { uriPrefix: "", apiVersions: [{ version: "1.0.0", isDeprecated: false }] };

/**
 * What an element manager answers for the VNF (SOL 002): coordination of the life cycle (clause 10) and indicators (clause 8).
 * A drain is answered at once with 202 and where to look; CONTINUE is said when every member that leaves has ended.
 */
export async function startEmServer(options: EmServerOptions, modules: EmServerModules): Promise<EmServer> {
  const coordinations = new Coordinations({
    drain: modules.drain,
    members: () => {
      const reading = modules.members();
      return reading.kind === "members" ? reading.members : [];
    },
  });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, options, modules, coordinations)
      .catch((error: unknown) => problem(500, error instanceof Error ? error.message : "fault"))
      .then((result) => send(response, result))
      .catch(() => response.destroy());
  };
  const server: Server =
    options.tls === undefined
      ? createServer(listener)
      : createTlsServer({ key: options.tls.key, cert: options.tls.certificate }, listener);
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxHeadersCount = 100;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    port,
    origin: `${options.tls === undefined ? "http" : "https"}://${host}:${port}`,
    close: () => {
      coordinations.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  options: EmServerOptions,
  modules: EmServerModules,
  coordinations: Coordinations,
): Promise<Answer> {
  if (!allowed(request, options.token))
    return { ...problem(401, "a token is needed"), headers: { "WWW-Authenticate": "Bearer" } };
  const [path = "/"] = (request.url ?? "/").split("?", 1);
  const { method = "" } = request;
  if (/^\/(?:lcmcoord|vnfind)(?:\/v1)?\/api_versions$/.test(path) && method === "GET")
    return { status: 200, body: { ...VERSIONS, uriPrefix: path.replace("/api_versions", "") } };
  if (path === "/lcmcoord/v1/coordinations")
    return method === "POST" ? begin(request, options, coordinations) : notAllowed("POST");
  const [, id = "", cancel] = /^\/lcmcoord\/v1\/coordinations\/([\w-]{1,64})(\/cancel)?$/.exec(path) ?? [];
  if (id !== "" && cancel !== undefined) {
    if (method !== "POST") return notAllowed("POST");
    const how = coordinations.cancel(id);
    if (how === "unknown") return problem(404, `there is no coordination ${id}`);
    return how === "decided" ? problem(409, "it is decided already") : { status: 202 };
  }
  if (id !== "") {
    if (method !== "GET") return notAllowed("GET");
    const coordination = coordinations.get(id);
    if (coordination === undefined) return problem(404, `there is no coordination ${id}`);
    return coordination.result === undefined
      ? { status: 202, headers: { "Retry-After": "2" } }
      : { status: 200, body: shown(coordination) };
  }
  if (/^\/vnfind\/v1\/indicators(?:\/|$)/.test(path))
    return method === "GET" ? indicators(path, options, modules) : notAllowed("GET");
  return problem(404, "try /lcmcoord/v1/coordinations or /vnfind/v1/indicators");
}

async function begin(
  request: IncomingMessage,
  { vnfInstanceId }: EmServerOptions,
  coordinations: Coordinations,
): Promise<Answer> {
  const text = await bodyOf(request);
  if (text === undefined) return problem(413, `more than ${BODY_MAX} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return problem(400, "the body is no JSON");
  }
  const parsed = coordinationRequest.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return problem(400, `${issue?.path.join(".") || "body"}: ${issue?.message ?? ""}`);
  }
  if (vnfInstanceId !== undefined && parsed.data.vnfInstanceId !== vnfInstanceId)
    return problem(404, `there is no VNF instance ${parsed.data.vnfInstanceId} here`);
  const begun = coordinations.begin(parsed.data);
  if (begun.kind === "refused") return problem(begun.status, begun.detail);
  const { coordination } = begun;
  return {
    status: coordination.result === undefined ? 202 : 201,
    headers: { Location: `/lcmcoord/v1/coordinations/${coordination.id}` },
    ...(coordination.result === undefined ? {} : { body: shown(coordination) }),
  };
}

function shown({ id, request, result, drained, failed }: Coordination): unknown {
  return {
    id,
    coordinationResult: result,
    vnfInstanceId: request.vnfInstanceId,
    vnfLcmOpOccId: request.vnfLcmOpOccId,
    lcmOperationType: request.lcmOperationType,
    coordinationActionName: request.coordinationActionName,
    outputParams: { drained, failed },
    ...(failed.length === 0
      ? {}
      : { warnings: failed.map(({ name, reason }) => `${name}: ${reason}`).join("; ") }),
    _links: { self: { href: `/lcmcoord/v1/coordinations/${id}` } },
  };
}

async function indicators(
  path: string,
  { vnfInstanceId = "" }: EmServerOptions,
  modules: EmServerModules,
): Promise<Answer> {
  const [, , , , instance, id] = path.split("/");
  if (instance !== undefined && vnfInstanceId !== "" && instance !== vnfInstanceId)
    return problem(404, `there is no VNF instance ${instance} here`);
  const wanted = modules.indicators.filter(({ name }) => id === undefined || name === id);
  if (id !== undefined && wanted.length === 0) return problem(404, `there is no indicator ${id}`);
  const members = modules.members();
  if (members.kind === "bad") return problem(503, members.faults[0]?.problem ?? "members are not known");
  const values = await Promise.all(
    wanted.map(async (indicator) => ({
      id: indicator.name,
      name: indicator.purpose,
      value: (await indicatorValue(indicator, members.members)) ?? null,
      vnfInstanceId: instance ?? vnfInstanceId,
      _links: { self: { href: `/vnfind/v1/indicators/${instance ?? vnfInstanceId}/${indicator.name}` } },
    })),
  );
  return { status: 200, body: id === undefined ? values : values[0] };
}

function allowed({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > BODY_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function notAllowed(method: string): Answer {
  return { ...problem(405, `only ${method}`), headers: { Allow: method } };
}

/** ProblemDetails (RFC 7807), as SOL 013 wants faults. */
function problem(status: number, detail: string): Answer {
  return { status, body: { status, detail } };
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, {
    ...(text === "" ? {} : { "Content-Type": type }),
    "Content-Length": Buffer.byteLength(text),
    Version: "1.0.0",
    ...(status === 413 ? { Connection: "close" } : {}),
    ...headers,
  });
  response.end(text);
}

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { CALL_FRAGMENTS_PATH, callFragmentsSchema } from "@ims/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CALL_LIST_TYPE } from "../call-list/call-list-document.ts";
import type { CallLists } from "../call-list/call-lists.ts";
import { UNAVAILABLE } from "../store/simservs-repository.ts";
import type { Respond } from "./xcap-server.ts";

const zip = promisify(gzip);
/** MAX_CALL_FRAGMENTS of the longest. */
const MAX_FRAGMENTS_BODY = 1_048_576;
const RETRY_AFTER_SECONDS = 2;

/** GET of a call list by somebody who may read it. */
export async function respondWithCallList(
  request: FastifyRequest,
  reply: FastifyReply,
  respond: Respond,
  { owner, callLists }: { readonly owner: string; readonly callLists: CallLists },
): Promise<FastifyReply> {
  const document = await callLists.read(owner);
  if (document === UNAVAILABLE) {
    reply.header("retry-after", RETRY_AFTER_SECONDS);
    return respond(503, "unavailable", "call lists cannot be read now\n");
  }
  reply.header("vary", "accept-encoding").header("cache-control", "no-store");
  if (!acceptsGzip(request.headers["accept-encoding"]))
    return respond(200, "served", document, CALL_LIST_TYPE);
  reply.header("content-encoding", "gzip");
  return respond(200, "served", await zip(document), CALL_LIST_TYPE);
}

/** Where sprout brings what it has noted of calls. */
export function addFragmentsRoute(
  app: FastifyInstance,
  {
    callLists,
    mayWrite,
    responder,
  }: {
    readonly callLists: CallLists;
    readonly mayWrite: (request: FastifyRequest) => Promise<boolean>;
    readonly responder: (reply: FastifyReply) => Respond;
  },
): void {
  app.post(CALL_FRAGMENTS_PATH, { bodyLimit: MAX_FRAGMENTS_BODY }, async (request, reply) => {
    const respond = responder(reply);
    if (!(await mayWrite(request)))
      return respond(403, "forbidden", "this port is for --core-peers and this machine only\n");
    const given = fragmentsOf(request.body);
    if (typeof given === "string") return respond(400, "refused", `${given}\n`);
    const report = await callLists.add(given.fragments);
    if (report !== UNAVAILABLE) return respond(200, "changed", JSON.stringify(report), "application/json");
    reply.header("retry-after", RETRY_AFTER_SECONDS);
    return respond(503, "unavailable", "call lists cannot be written now\n");
  });
}

function fragmentsOf(body: unknown): ReturnType<typeof callFragmentsSchema.parse> | string {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.isBuffer(body) ? body.toString("utf8") : "");
  } catch {
    return "the body is not JSON";
  }
  const parsed = callFragmentsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "bad value"}`.slice(0, 300);
}

/** RFC 9110 §12.5.3. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  return [header ?? ""]
    .flat()
    .join(",")
    .split(",")
    .some((each) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0{0,3})?\s*$).*)?$/i.test(each));
}

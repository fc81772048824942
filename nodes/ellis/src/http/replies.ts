import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { queryOf } from "./fields.ts";
import type { Refusal } from "./refusal.ts";

/** Answers with a document, or, where a form asks for it with `onsuccess`, with a redirection that carries it. */
export function succeed(
  request: FastifyRequest,
  reply: FastifyReply,
  status: 200 | 201 | 204,
  data: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const target = redirectOf(request, "onsuccess");
  if (target !== undefined)
    return redirect(reply, target, {
      success: "true",
      status: String(status),
      message: STATUS_CODES[status] ?? "",
      data: JSON.stringify(data),
    });
  return status === 204 ? reply.code(204).send() : reply.code(status).send(data);
}

/** As Clearwater's Ellis: an object that says what is wrong, or a redirection with `onfailure`. */
export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, detail, message: reason } = refusal;
  const message = STATUS_CODES[status] ?? "";
  const target = redirectOf(request, "onfailure");
  if (target !== undefined)
    return redirect(reply, target, {
      error: "true",
      status: String(status),
      message,
      reason,
      detail: JSON.stringify(detail),
    });
  if (refusal.retryAfterSeconds !== undefined) reply.header("retry-after", refusal.retryAfterSeconds);
  return reply.code(status).type("application/json").send(refusalDocument(refusal));
}

export function refusalDocument({ status, detail, message: reason }: Refusal): {
  readonly error: true;
  readonly status: number;
  readonly message: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, string>>;
} {
  return { error: true, status, message: STATUS_CODES[status] ?? "", reason, detail };
}

/** Where a form wants to go on: on this site only, or anybody could send our users anywhere. */
export function redirectOf(request: FastifyRequest, name: "onsuccess" | "onfailure"): string | undefined {
  const target = queryOf(request).get(name);
  return target !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(target) ? target : undefined;
}

function redirect(reply: FastifyReply, target: string, params: Record<string, string>): FastifyReply {
  const [path = "", fragment] = target.split("#");
  const query = `${path.includes("?") ? "&" : "?"}${new URLSearchParams(params)}`;
  return reply.redirect(`${path}${query}${fragment === undefined ? "" : `#${fragment}`}`, 302);
}

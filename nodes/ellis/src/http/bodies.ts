import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { bodyOf } from "./fields.ts";
import { Refusal } from "./refusal.ts";

/** The body as a schema reads it. What is wrong is told field by field, in `detail`, without what was given. Throws Refusal. */
export function jsonOf<S extends z.ZodType>(schema: S, request: FastifyRequest): z.output<S> {
  const result = schema.safeParse(documentIn(request));
  if (result.success) return result.data;
  const detail = new Map<string, string>();
  for (const { path, message } of result.error.issues) {
    const name = path.map(String).join(".") || "body";
    if (!detail.has(name)) detail.set(name, message);
  }
  const reason = [...detail].map(([name, message]) => `${name}: ${message}`).join("; ");
  throw new Refusal(400, reason.slice(0, 500), { detail: Object.fromEntries([...detail].slice(0, 20)) });
}

function documentIn(request: FastifyRequest): unknown {
  const body = bodyOf(request);
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new Refusal(400, "The body is not JSON", { cause });
  }
}

import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { Refusal } from "./refusal.ts";

/** What a request says, as text by name: URL parameters, above them those of a form or of a JSON object. */
export type Fields = ReadonlyMap<string, string>;

export function fieldsOf(request: FastifyRequest): Fields {
  const fields = queryOf(request);
  const body = bodyOf(request);
  if (body.trim() === "") return fields;
  const type = mediaTypeOf(request) ?? "";
  // Who says nothing about the type has it guessed, as Clearwater did.
  const isJson = type.includes("json") || (type === "" && /^\s*[{[]/.test(body));
  if (isJson) readJson(body, fields);
  else if (type === "application/x-www-form-urlencoded" || type === "")
    for (const [name, value] of new URLSearchParams(body)) fields.set(name, value);
  else throw new Refusal(415, "Write application/json or application/x-www-form-urlencoded");
  return fields;
}

export function queryOf(request: FastifyRequest): Map<string, string> {
  const url = request.raw.url ?? "";
  const at = url.indexOf("?");
  return new Map(at < 0 ? [] : new URLSearchParams(url.slice(at + 1)));
}

/** Text of the body; refuses what is no UTF-8. */
export function bodyOf(request: FastifyRequest): string {
  if (!Buffer.isBuffer(request.body)) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(request.body);
  } catch (cause) {
    throw new Refusal(400, "The body is not UTF-8", { cause });
  }
}

export function mediaTypeOf(request: FastifyRequest): string | undefined {
  return request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
}

/** Fields that a schema reads; what it does not know is passed over. */
export function read<S extends z.ZodObject>(schema: S, fields: Fields): z.output<S> {
  const known = Object.keys(schema.shape).flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const result = schema.safeParse(Object.fromEntries(known));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Refusal(400, faults.join("; ").slice(0, 500));
}

function readJson(body: string, into: Map<string, string>): void {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new Refusal(400, "The body is not JSON", { cause });
  }
  if (value === null) return;
  if (typeof value !== "object" || Array.isArray(value))
    throw new Refusal(400, "The body is not a JSON object");
  for (const [name, field] of Object.entries(value))
    if (typeof field === "string" || typeof field === "number" || typeof field === "boolean")
      into.set(name, String(field));
    else if (field !== null)
      throw new Refusal(400, `${name.slice(0, 80)}: write text, a number or a boolean`);
}

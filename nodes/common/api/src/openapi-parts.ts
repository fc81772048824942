import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

const TYPES = ["application/json", "application/x-www-form-urlencoded"];

export const none: Json = { description: "done" };

export function path(name: string, description: string): Json {
  return { name, in: "path", required: true, schema: { type: "string" }, description };
}

export function header(name: string, description: string): Json {
  return { name, in: "header", schema: { type: "string" }, description };
}

export function operation(operationId: string, summary: string, responses: Json, more: Json = {}): Json {
  const refused = { description: "refused", ...content("Error") };
  return { operationId, summary, ...more, responses: { ...responses, default: refused } };
}

export function content(name: string, types: readonly string[] = ["application/json"]): Json {
  const schema = { $ref: `#/components/schemas/${name}` };
  return { description: name, content: Object.fromEntries(types.map((type) => [type, { schema }])) };
}

export function body(name: string, required = true): Json {
  return { requestBody: { required, content: content(name, TYPES)["content"] } };
}

export function input(schema: z.ZodType): Json {
  return strip(z.toJSONSchema(schema, { io: "input" }));
}

export function output(schema: z.ZodType): Json {
  return strip(z.toJSONSchema(schema, { io: "output" }));
}

/** Inside a document the dialect is said once, by `openapi`. */
function strip(schema: Json): Json {
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}

/** Parameters of a query, of the schema that reads it. */
export function query(schema: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, each]) => ({
    ...{ name, in: "query", schema: each },
    ...(required.includes(name) ? { required: true } : {}),
  }));
}

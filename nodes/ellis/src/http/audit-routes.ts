import { Readable } from "node:stream";
import { type AuditFilter, auditFilterSchema, auditQuerySchema } from "@ims/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AuditLog } from "../audit/audit-log.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import { queryOf, read } from "./fields.ts";
import { Refusal, storeAway } from "./refusal.ts";

const EXPORT_PAGE = 500;

/** The audit log, for administrators. */
export function auditRoutes(app: FastifyInstance, { audit }: { readonly audit: AuditLog }): void {
  const config = { resource: "audit", role: "administrator" } as const;

  app.get("/staff/audit", { config }, async (request) => {
    const { before, limit, ...filter } = read(auditQuerySchema, given(request));
    const page = await audit.page(filter, { before, limit });
    if (page === UNAVAILABLE) throw storeAway();
    if (page === "wrongPage") throw new Refusal(400, "before: give `next` of another page");
    return { entries: page.entries, ...(page.next === undefined ? {} : { next: page.next }) };
  });

  app.get("/staff/audit.jsonl", { config }, async (request, reply) => {
    const filter = read(auditFilterSchema, given(request));
    return reply
      .header("content-disposition", 'attachment; filename="audit.jsonl"')
      .type("application/jsonl")
      .send(Readable.from(linesOf(audit, filter)));
  });
}

/** Empty fields of a form say nothing. */
function given(request: FastifyRequest): Map<string, string> {
  return new Map([...queryOf(request)].filter(([, value]) => value !== ""));
}

/** A page at a time; a store that goes away cuts the answer off, so that it is not taken for whole. */
async function* linesOf(audit: AuditLog, filter: AuditFilter): AsyncGenerator<string> {
  let before: string | undefined;
  do {
    const page = await audit.page(filter, { before, limit: EXPORT_PAGE });
    if (page === UNAVAILABLE || page === "wrongPage") throw new Error("the audit log cannot be read on");
    if (page.entries.length > 0) yield page.entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    before = page.next;
  } while (before !== undefined);
}

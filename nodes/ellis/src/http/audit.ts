import type { AuditEntry } from "@ims/api";
import type { Clock, Logger } from "@ims/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Strangers } from "../audit/strangers.ts";
import { ellisProblems } from "../problems.ts";
import type { StaffRole } from "../staff/role.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import { RateLimit } from "./rate-limits.ts";

/** What is to be written down of a request when it is answered. */
export interface AuditNote {
  action: string;
  who: string;
  role?: StaffRole | undefined;
  target?: string | undefined;
  /** What was changed, never a secret. */
  detail?: string | undefined;
  /** A session, a password or the key has proven that it is one of the staff who asks. */
  isStaff: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    audit: AuditNote | undefined;
  }
  interface FastifyContextConfig {
    /** What a request is called in the audit log; needed where staff may change something. */
    readonly audit?: string;
  }
}

export interface AuditModules {
  readonly audit: Pick<AuditLog, "append">;
  readonly strangers: Pick<Strangers, "add">;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_TEXT = 500;
/** Refusals of one of the staff that are written down: nobody fills the log. */
const REFUSALS_A_MINUTE = 120;

/** Writes down what staff asked for, before the answer goes out, and what was refused to others. */
export function auditing(app: FastifyInstance, { audit, strangers, clock, log }: AuditModules): void {
  const refusals = new RateLimit(REFUSALS_A_MINUTE, clock);
  const missedOf = new Map<string, number>();
  app.decorateRequest("audit", undefined);
  app.addHook("onSend", async (request, reply) => {
    const note = request.audit;
    if (note === undefined) return;
    request.audit = undefined;
    const status = reply.statusCode;
    const outcome = status < 400 ? "done" : status < 500 ? "refused" : "failed";
    const { who, isStaff } = note;
    const missed = missedOf.get(who) ?? 0;
    if (isStaff && outcome === "refused" && !refusals.take(who)) {
      missedOf.set(who, missed + 1);
      return;
    }
    const entry: AuditEntry = {
      at: new Date(clock.now()).toISOString(),
      ...{ who, action: note.action, from: request.ip, outcome, status },
      ...(note.role === undefined ? {} : { role: note.role }),
      ...(note.target === undefined ? {} : { target: note.target.slice(0, MAX_TEXT) }),
      ...(note.detail === undefined ? {} : { detail: note.detail.slice(0, MAX_TEXT) }),
      ...(isStaff && missed > 0 ? { missed } : {}),
    };
    if (!isStaff) return strangers.add(entry);
    missedOf.delete(who);
    const problemId = ellisProblems.auditNotWritten.id;
    const lost = (error?: unknown): void =>
      log.error({ entry, problemId, ...(error === undefined ? {} : { err: error }) }, "not in the audit log");
    try {
      if ((await audit.append(entry)) === UNAVAILABLE) lost();
    } catch (error) {
      lost(error);
    }
  });
}

/** Adds to what will be written down. */
export function note(request: FastifyRequest, more: { target?: string; detail?: string }): void {
  if (request.audit !== undefined) Object.assign(request.audit, more);
}

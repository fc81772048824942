import { z } from "zod";
import { staffRoleSchema } from "./staff.ts";

export const auditOutcomes = ["done", "refused", "failed"] as const;

/** What somebody of the staff did, or was not let do. */
export const auditEntrySchema = z.strictObject({
  at: z.iso.datetime(),
  who: z.string().describe("e-mail address, api-key, or empty: nobody known"),
  role: staffRoleSchema.optional().describe("at that time"),
  action: z.string().describe("such as subscriber.change"),
  target: z.string().optional().describe("who or what it was done to"),
  from: z.string().describe("IP address; empty: several"),
  outcome: z.enum(auditOutcomes),
  status: z.int().describe("HTTP status of the answer"),
  detail: z.string().optional().describe("what was changed, never a secret"),
  missed: z
    .int()
    .optional()
    .describe("refusals just before this one that were too many to be written down each"),
  repeated: z
    .int()
    .optional()
    .describe(
      "so many alike in the ten minutes before, by who has not proven to be staff; the last one is this",
    ),
});

export const auditPageSchema = z.strictObject({
  entries: z.array(auditEntrySchema).describe("the latest first"),
  next: z.string().optional().describe("pass as `before` for older ones; a page may be short and have one"),
});

const time = z.iso.datetime({ offset: true });

export const auditFilterSchema = z.object({
  from: time.optional().describe("none before that time"),
  until: time.optional().describe("none after that time"),
  who: z.string().max(254).optional(),
  action: z.string().max(64).optional().describe("or its beginning: `subscriber`"),
  target: z.string().max(255).optional().describe("part of it"),
  outcome: z.enum(auditOutcomes).optional(),
});

export const auditQuerySchema = auditFilterSchema.extend({
  before: z.string().max(64).optional().describe("`next` of the page before"),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export type AuditEntry = z.output<typeof auditEntrySchema>;
export type AuditFilter = z.output<typeof auditFilterSchema>;

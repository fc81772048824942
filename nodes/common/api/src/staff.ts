import { z } from "zod";

/** API that ellis serves to staff: the portal of operators. */

export const staffRoleSchema = z.enum(["viewer", "operator", "administrator"]);

export const staffSessionSchema = z.strictObject({
  name: z.string().describe("e-mail address, or api-key"),
  role: staffRoleSchema,
});

export const staffPageQuerySchema = z.object({
  after: z.string().max(255).optional().describe("`next` of the page before"),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  search: z.string().max(255).optional().describe("part of an identity"),
});

/** Longer than a user's: it opens more. */
const staffPassword = z.string().min(12, "at least 12 characters").max(256);

export const newStaffSchema = z.strictObject({
  email: z.string().min(3).max(254),
  full_name: z.string().max(200).default(""),
  role: staffRoleSchema,
  password: staffPassword.optional().describe("default: one is made, and is in the answer"),
  existing: z
    .boolean()
    .default(false)
    .describe("a user of that name becomes staff, with a new password; without it 409"),
});

export const changedStaffSchema = z
  .strictObject({
    role: staffRoleSchema.optional(),
    new_password: z.boolean().default(false).describe("makes one, which is in the answer; sessions end"),
  })
  .refine(({ role, new_password }) => role !== undefined || new_password, "give role or new_password");

export const ownPasswordSchema = z.strictObject({ old: z.string().max(256), new: staffPassword });

export const staffAccountSchema = z.strictObject({
  email: z.string(),
  full_name: z.string(),
  role: staffRoleSchema,
});
export const madeStaffSchema = staffAccountSchema.extend({
  password: z.string().optional().describe("one that was made; shown this once"),
});
export const staffAccountsSchema = z.strictObject({ staff: z.array(staffAccountSchema) });

export type NewStaff = z.input<typeof newStaffSchema>;
export type ChangedStaff = z.input<typeof changedStaffSchema>;
export type StaffAccount = z.output<typeof staffAccountSchema>;
export type MadeStaff = z.output<typeof madeStaffSchema>;

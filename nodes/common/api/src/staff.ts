import { z } from "zod";

/** API that ellis serves to staff: the portal of operators. */

export const staffSessionSchema = z.strictObject({
  name: z.string().describe("e-mail address, or api-key"),
  role: z.enum(["viewer", "operator", "administrator"]),
});

export const staffPageQuerySchema = z.object({
  after: z.string().max(255).optional().describe("`next` of the page before"),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  search: z.string().max(255).optional().describe("part of an identity"),
});

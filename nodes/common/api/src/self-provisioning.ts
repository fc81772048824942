import { z } from "zod";

/** API that ellis serves, as Clearwater's Ellis did: accounts, their numbers, and what belongs to a number. */

export const newAccountSchema = z.object({
  email: z.string().min(3).max(254),
  password: z.string().min(6, "at least 6 characters").max(256),
  full_name: z.string().max(200),
  signup_code: z.string().max(256).optional().describe("instead of the header NGV-Signup-Code"),
  expires: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .optional()
    .describe("days after which the account goes, with its numbers"),
});

export const newSessionSchema = z.object({
  email: z.string().max(254).describe("username is taken too"),
  password: z.string().max(256),
});

export const sessionDocumentSchema = z.strictObject({ username: z.string(), full_name: z.string() });

export const newNumberSchema = z.object({
  pstn: z.stringbool().default(false).describe("a number that the PSTN reaches"),
  private_id: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("private identity of another number of the account; default: a new one"),
});

export const specificNumberSchema = z.object({
  private_id: z.string().min(1).max(255).optional().describe("default: as the SIP URI, without the scheme"),
  new_private_id: z
    .stringbool()
    .optional()
    .describe("the private identity is to be made; default: when none is given"),
});

export const numberDocumentSchema = z.strictObject({
  number_id: z.string(),
  sip_uri: z.string(),
  sip_username: z.string().describe("user part of the SIP URI"),
  domain: z.string(),
  number: z.string(),
  formatted_number: z.string(),
  private_id: z.string(),
  pstn: z.boolean(),
  gab_listed: z.union([z.literal(0), z.literal(1)]),
});

/** `sip_password` is there once, when the private identity is new. */
export const allocatedNumberSchema = numberDocumentSchema.extend({ sip_password: z.string().optional() });
export const numbersDocumentSchema = z.strictObject({ numbers: z.array(numberDocumentSchema) });
export const sipPasswordSchema = z.strictObject({ sip_password: z.string() });
export const listedSchema = z.strictObject({ gab_listed: z.union([z.literal(0), z.literal(1)]) });
export const addressBookSchema = z.strictObject({
  contacts: z.array(
    z.strictObject({ email: z.string(), full_name: z.string(), numbers: z.array(z.string()) }),
  ),
});

export const numberRangeSchema = z.object({
  first: z.string().regex(/^\+?[0-9]{3,15}$/, "a number has 3 to 15 digits"),
  count: z.coerce.number().int().min(1).max(10_000_000),
  pstn: z.stringbool().default(false),
});
export const numberRangesSchema = z.strictObject({
  ranges: z.array(z.strictObject({ first: z.string(), count: z.int(), pstn: z.boolean() })),
});

/** How ellis refuses. */
export const ellisErrorSchema = z.strictObject({
  error: z.literal(true),
  status: z.int(),
  message: z.string(),
  reason: z.string(),
  detail: z.record(z.string(), z.string()),
});

export type NumberDocument = z.output<typeof numberDocumentSchema>;
export type AllocatedNumber = z.output<typeof allocatedNumberSchema>;

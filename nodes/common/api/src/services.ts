import { z } from "zod";

const pattern = z.string().min(1).max(512).describe("extended regular expression (TS 29.228 annex F)");
const number = z.int().min(0).max(0xffff_ffff);

/** Service point trigger: TS 29.228 §B.2.3. */
const triggerConditionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("requestUri"), pattern }),
  z.strictObject({
    kind: z.literal("method"),
    method: z.string().regex(/^[A-Za-z]{1,32}$/),
    registrationTypes: z
      .array(z.union([z.literal(0), z.literal(1), z.literal(2)]))
      .max(3)
      .default([])
      .describe("of a REGISTER: 0 initial, 1 re-registration, 2 deregistration; empty: any"),
  }),
  z.strictObject({ kind: z.literal("sipHeader"), header: pattern, content: pattern.optional() }),
  z.strictObject({
    kind: z.literal("sessionCase"),
    sessionCase: z
      .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
      .describe(
        "0 originating, 1 terminating registered, 2 terminating unregistered, 3 originating unregistered, 4 originating after call diversion",
      ),
  }),
  z.strictObject({ kind: z.literal("sessionDescription"), line: pattern, content: pattern.optional() }),
]);

/** Initial filter criteria: TS 29.228 §B.2.2. */
export const initialFilterCriteriaSchema = z.strictObject({
  priority: number.describe("0 is looked at first"),
  trigger: z
    .strictObject({
      form: z.enum(["cnf", "dnf"]).describe("cnf: a member of every group holds; dnf: all of some group"),
      groups: z
        .array(
          z
            .array(z.strictObject({ negated: z.boolean().default(false), condition: triggerConditionSchema }))
            .min(1)
            .max(50),
        )
        .max(50),
    })
    .optional()
    .describe("without it every request goes to the server"),
  applicationServer: z.strictObject({
    serverName: z
      .string()
      .max(512)
      .regex(/^sips?:[^\s<>"]+$/, "an application server is a SIP URI"),
    defaultHandling: z.enum(["continue", "terminate"]).default("continue"),
    serviceInfo: z.string().max(4096).optional(),
    includeRegisterRequest: z.boolean().default(false),
    includeRegisterResponse: z.boolean().default(false),
  }),
  profilePart: z.enum(["registered", "unregistered"]).optional(),
});

/** What a subscriber has beyond identities and credentials. */
export const servicesSchema = z.strictObject({
  initialFilterCriteria: z.array(initialFilterCriteriaSchema).max(100).default([]),
  sharedIfcSetIds: z.array(number).max(100).default([]),
  capabilities: z
    .strictObject({
      mandatory: z.array(number).max(50).default([]),
      optional: z.array(number).max(50).default([]),
      serverNames: z.array(z.string().max(512)).max(20).default([]),
    })
    .prefault({})
    .describe("what the S-CSCF must, should or may be (TS 29.228 §6.7)"),
  resourcePriorities: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9\-!%*_+`'~]{1,64}\.[A-Za-z0-9\-!%*_+`'~]{1,64}$/, "namespace.priority, as ets.0"),
    )
    .max(32)
    .optional()
    .describe("what it may claim as Resource-Priority, the highest of each namespace (RFC 4412)"),
});

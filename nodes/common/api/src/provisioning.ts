import { z } from "zod";
import { servicesSchema } from "./services.ts";

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9A-Fa-f]{${bytes * 2}}$`), `${bytes} octets in hexadecimal`);

/** TS 23.003 §13.3: user@realm. */
export const impiSchema = z
  .string()
  .min(3)
  .max(255)
  .regex(/^[^\s@<>"]+@[^\s@<>"]+$/, "a private identity is user@realm")
  .describe("IMS private user identity (IMPI)");

/** TS 23.003 §13.4: a SIP or tel URI, or a wildcarded one. */
export const impuSchema = z
  .string()
  .min(5)
  .max(512)
  .regex(/^(?:sips?:[^\s<>"]+|tel:\+?[0-9A-Fa-f*#().-]+)$/, "a public identity is a sip: or tel: URI")
  .describe("IMS public user identity (IMPU)");

export const publicIdentitySchema = z.strictObject({
  impu: impuSchema,
  barred: z
    .boolean()
    .default(false)
    .describe("BarringIndication: may not be used but for registration (TS 29.228 annex E)"),
});

const credentials = z.strictObject({
  password: z.string().min(1).max(128).optional().describe("SIP Digest; only its hashes are kept"),
  k: hex(16).optional().describe("USIM key K (TS 35.206)"),
  opc: hex(16).optional().describe("OPc; give this or op"),
  op: hex(16).optional().describe("OP; OPc is computed from it"),
  amf: hex(2).optional().describe("authentication management field, default 8000"),
  sqn: hex(6).optional().describe("highest sequence number already used, default 0"),
});

const hasOneCode = ({ k, op, opc }: z.output<typeof credentials>): boolean =>
  k === undefined || (opc === undefined) !== (op === undefined);
const ONE_CODE = "k needs exactly one of opc and op";

/** What a subscriber may be authenticated with; write-only: no answer ever holds a secret. */
export const credentialsSchema = credentials
  .refine(
    (given) => given.password !== undefined || given.k !== undefined,
    "needs a password, or k with opc or op",
  )
  .refine(hasOneCode, ONE_CODE);

/** The same, or of the SIM that is there another AMF or SQN alone. */
export const changedCredentialsSchema = credentials
  .refine(
    ({ password, k, amf, sqn }) => (password ?? k ?? amf ?? sqn) !== undefined,
    "needs a password, k with opc or op, or amf or sqn of the SIM that is there",
  )
  .refine(
    ({ password, k, op, opc }) => (password ?? k) !== undefined || (op ?? opc) === undefined,
    "opc and op go with k",
  )
  .refine(hasOneCode, ONE_CODE);

export const newSubscriberSchema = z.strictObject({
  impi: impiSchema,
  /** All in one implicit registration set; the first unbarred one is the default public identity. */
  publicIdentities: z.array(publicIdentitySchema).min(1).max(64),
  credentials: credentialsSchema,
  services: servicesSchema.optional(),
});

/** One more private identity of a subscription that is there: TS 23.228 §4.3.3.4. */
export const sharingSubscriberSchema = z.strictObject({
  impi: impiSchema,
  sharesWith: impiSchema.describe(
    "private identity whose implicit registration sets it may register too, each of the two with contacts of its own",
  ),
  credentials: credentialsSchema,
});

export const changedSubscriberSchema = z.strictObject({
  publicIdentities: z
    .array(publicIdentitySchema)
    .min(1)
    .max(64)
    .optional()
    .describe("replaces all of them; not together with the next two"),
  addPublicIdentities: z
    .array(publicIdentitySchema)
    .max(64)
    .optional()
    .describe("after those that are there; of one that is there barred is changed"),
  removePublicIdentities: z
    .array(impuSchema)
    .max(64)
    .optional()
    .describe("those that are not there are passed over; one has to stay"),
  credentials: changedCredentialsSchema
    .optional()
    .describe("replaces all of them; amf or sqn alone: the keys stay"),
  services: servicesSchema.optional().describe("replaces all of them; {} for none"),
});

/** Reason-Code of an RTR that an operator asks for: TS 29.229 §6.3.17. */
export const deregistrationSchema = z.strictObject({
  reason: z
    .enum(["PERMANENT_TERMINATION", "SERVER_CHANGE"])
    .default("PERMANENT_TERMINATION")
    .describe("SERVER_CHANGE: the user equipment is to register again at once"),
});

export const registrationStates = [
  "not-registered",
  "registered",
  "unregistered-services",
  "authentication-pending",
] as const;

const implicitSetSchema = z.strictObject({
  id: z.string(),
  privateIdentities: z.array(impiSchema).describe("who may register it"),
  serviceProfiles: z.array(
    z.strictObject({
      id: z.string(),
      publicIdentities: z.array(z.string()),
      services: servicesSchema.optional().describe("absent: none of its own"),
    }),
  ),
});

export const subscriberSchema = z.strictObject({
  impi: impiSchema,
  publicIdentities: z.array(
    z.strictObject({
      impu: z.string(),
      barred: z.boolean(),
      state: z.enum(registrationStates),
      serverName: z.string().optional().describe("S-CSCF assigned to it"),
    }),
  ),
  authentication: z.array(z.enum(["digest", "aka"])),
  services: servicesSchema
    .optional()
    .describe("of its only service profile; absent: none of its own, or several profiles"),
  sharesWith: z
    .array(impiSchema)
    .optional()
    .describe("the other private identities of its subscription; absent: there are none"),
  registrationSets: z
    .array(implicitSetSchema)
    .optional()
    .describe("implicit registration sets that it may register; absent: one, which nobody else may"),
});

export const subscriberPageSchema = z.strictObject({
  subscribers: z.array(subscriberSchema),
  next: z.string().optional().describe("pass as `after` for the next page"),
});

export const importRequestSchema = z.strictObject({
  dryRun: z.boolean().default(false),
  /** Keep the good rows when others are wrong; otherwise nothing is applied. */
  partial: z.boolean().default(false),
  existing: z
    .enum(["refuse", "keep"])
    .default("refuse")
    .describe("keep: a row whose subscriber is there already as it says is right, and nothing is done"),
  subscribers: z
    .array(z.unknown())
    .max(5000)
    .describe("each as for adding one; every row is judged by itself"),
});

export const importReportSchema = z.strictObject({
  applied: z.int().describe("rows written; 0 with dryRun or when a row was wrong and partial is off"),
  unchanged: z.int().optional().describe("rows that are there already; with existing: keep"),
  rows: z
    .array(z.strictObject({ index: z.int(), impi: z.string().optional(), error: z.string() }))
    .describe("only the wrong ones"),
});

/** RFC 9457. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
});

export type NewSubscriber = z.input<typeof newSubscriberSchema>;
export type SharingSubscriber = z.input<typeof sharingSubscriberSchema>;
export type ChangedSubscriber = z.input<typeof changedSubscriberSchema>;
export type Deregistration = z.input<typeof deregistrationSchema>;
export type Subscriber = z.output<typeof subscriberSchema>;
export type SubscriberPage = z.output<typeof subscriberPageSchema>;
export type ImportReport = z.output<typeof importReportSchema>;
export type Problem = z.output<typeof problemSchema>;

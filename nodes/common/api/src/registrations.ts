import { z } from "zod";

const time = z.iso.datetime();

/** A contact of RFC 3261 §10.3, as the S-CSCF keeps it. */
export const bindingSchema = z.strictObject({
  contact: z.string().describe("Contact URI"),
  privateIdentity: z.string().describe("who registered it"),
  publicIdentity: z.string().describe("what it registered; the others of the set came with it"),
  instance: z.string().optional().describe("+sip.instance (RFC 5626)"),
  regId: z.int().optional().describe("reg-id (RFC 5626)"),
  path: z.array(z.string()).describe("way to the contact, the first hop on top (RFC 3327)"),
  q: z.number(),
  parameters: z.string().optional().describe("feature tags and others of the Contact"),
  registeredAt: time.describe("last REGISTER"),
  expiresAt: time,
  expiresIn: z.int().describe("s; 0: it has lapsed and is about to be removed"),
  callId: z.string(),
  cseq: z.int(),
  emergency: z.boolean().describe("of an emergency registration (TS 24.229 §5.4.8)"),
});

/** A subscription to the registration event package: RFC 3680, TS 24.229 §5.4.2.1. */
export const subscriptionSchema = z.strictObject({
  subscriber: z.string().describe("identity that was authorised"),
  kind: z.enum(["user", "application-server", "p-cscf"]),
  target: z.string().describe("Contact URI that NOTIFY goes to"),
  callId: z.string(),
  expiresAt: time,
  expiresIn: z.int(),
  unanswered: z.int().describe("NOTIFYs in a row that did not arrive"),
});

/** What the S-CSCF keeps of one implicit registration set. */
export const registrationSchema = z.strictObject({
  publicIdentity: z.string().describe("default public identity of the set"),
  publicIdentities: z.array(z.strictObject({ impu: z.string(), barred: z.boolean() })),
  state: z
    .enum(["registered", "unregistered-services", "terminated"])
    .describe("terminated: it has ended, and not all subscribers have been told yet"),
  heldUntil: time.optional().describe("when the services of an unregistered user end"),
  bindings: z.array(bindingSchema),
  subscriptions: z.array(subscriptionSchema),
});

/** Answer of sprout to GET /registrations/<identity>; no registration: nobody is registered under that identity. */
export const registrationsSchema = z.strictObject({
  identity: z.string(),
  serverName: z.string().describe("SIP URI of the S-CSCF"),
  registrations: z.array(registrationSchema),
});

export type Registrations = z.output<typeof registrationsSchema>;

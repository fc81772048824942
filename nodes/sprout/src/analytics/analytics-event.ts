import { z } from "zod";

const text = z.string().optional();
const seconds = z.number().min(0).optional();

export const ANALYTICS_EVENTS = [
  "registered",
  "reRegistered",
  "deregistered",
  "registrationFailed",
  "callAnswered",
  "callFailed",
  "callEnded",
  "subscribed",
  "resubscribed",
  "unsubscribed",
  "subscriptionFailed",
] as const;

/** One event of the analytics stream: a line of its files. Members without a value are left out. */
export const analyticsEventSchema = z.strictObject({
  analytics: z.literal(1).describe("version of this format; members may be added without a new one"),
  id: z.string().describe("the same when the same event is told of twice: who reads counts each id once"),
  time: z.iso.datetime(),
  event: z.enum(ANALYTICS_EVENTS),
  node: z.literal("S-CSCF"),
  nodeAddress: z.string(),
  role: z
    .enum(["originating", "terminating"])
    .optional()
    .describe("whose S-CSCF it is, the caller's or the called one's; absent inside a dialog: perhaps both"),
  impu: text.describe("default public user identity of the registered set"),
  impi: text,
  contacts: z.int().min(0).optional().describe("contacts that are registered now"),
  expires: z.int().min(0).optional().describe("s, as granted"),
  by: z.enum(["user", "expiry", "network"]).optional().describe("who ended the registration"),
  calling: z.array(z.string()).optional().describe("asserted identities of who calls or asks"),
  called: text.describe("Request-URI"),
  package: text.describe("event package of a subscription"),
  icid: text.describe("IMS charging identifier: the same at all nodes of a session; absent inside a dialog"),
  callId: text,
  status: z.int().min(200).max(699).optional().describe("SIP status code of the answer"),
  reason: z.array(z.string()).optional().describe("Reason header fields of the BYE or the refusal"),
  took: seconds.describe("from the request to its final answer, s"),
  ringing: seconds.describe("from the INVITE to 180, s"),
  duration: seconds.describe("from the answer to the BYE, s; absent where the BYE passes another sprout"),
});
export type AnalyticsEvent = z.output<typeof analyticsEventSchema>;

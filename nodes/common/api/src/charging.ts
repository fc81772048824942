import { CHARGING_EVENT_KINDS, CHARGING_NODES, type ChargingEvent } from "@ims/ims";
import { z } from "zod";

/** API that ralf serves: charging events of the functional entities, in batches, in the order they happened. */

export const CHARGING_EVENTS_PATH = "/charging-events";
/** Events of one request. */
export const MAX_CHARGING_EVENTS = 500;

const text = (max = 1024) => z.string().max(max);
const name = (max = 1024) => z.string().min(1).max(max);
const list = z.array(text()).max(16);
const time = z.int().min(0).max(8_640_000_000_000_000);
const seconds = z.int().min(0).max(4_294_967_295);

/** One event. Members this version does not know are left out. */
export const chargingEventSchema = z.object({
  id: name(64).describe("the same whenever the same SIP transaction is reported again: counts once"),
  kind: z.enum(CHARGING_EVENT_KINDS),
  time: time.describe("ms since the epoch"),
  node: z.enum(CHARGING_NODES).describe("Node-Functionality (TS 32.299 §7.2.118)"),
  nodeAddress: text(255),
  role: z.enum(["originating", "terminating"]).optional().describe("Role-Of-Node; absent inside a dialog"),
  callId: name(),
  fromTag: text(),
  toTag: text(),
  servedTag: text().optional().describe("inside a dialog: tag of the served party; absent: both"),
  method: name(64),
  event: text().optional(),
  expires: seconds.optional(),
  requestTime: time.optional(),
  responseTime: time.optional(),
  status: z.int().min(100).max(699).optional(),
  callingParty: list,
  calledParty: text(),
  requestedParty: text().optional(),
  calledAsserted: list.optional(),
  from: text().optional(),
  icid: text().optional(),
  icidGeneratedAt: text().optional(),
  origIoi: text().optional(),
  termIoi: text().optional(),
  accessNetworkInfo: list.optional(),
  visitedNetwork: text().optional(),
  reason: list.optional(),
  sessionExpires: seconds.optional(),
  contentType: text().optional(),
  contentLength: seconds.optional(),
  offer: text(16_384).optional().describe("SDP of the request"),
  answer: text(16_384).optional().describe("SDP of the answer"),
  ccf: list.optional().describe("charging collection functions of the served user, Diameter URIs"),
  servers: z
    .object({
      mandatory: z.array(z.int().min(0).max(4_294_967_295)).max(64).optional(),
      optional: z.array(z.int().min(0).max(4_294_967_295)).max(64).optional(),
      serverNames: list.optional(),
    })
    .optional()
    .describe("Server-Capabilities (TS 29.229 §6.3.4): what the HSS has told the I-CSCF"),
}) satisfies z.ZodType<ChargingEvent>;

/** Body of `POST /charging-events`. The events are judged one by one: a wrong one does not keep the others away. */
export const chargingEventsSchema = z.strictObject({
  resent: z
    .boolean()
    .default(false)
    .describe("the batch may have been taken before, here or by another ralf: no answer came"),
  events: z.array(z.unknown()).min(1).max(MAX_CHARGING_EVENTS),
});

/** 202: what was taken is on disk. */
export const chargingReportSchema = z.strictObject({
  accepted: z.int(),
  refused: z.array(z.strictObject({ index: z.int(), problem: z.string() })),
});

/** A charging record that the CDF refused for good. */
export const deadLetterSchema = z.strictObject({
  id: z.int(),
  sessionId: z.string(),
  recordType: z.enum(["EVENT", "START", "INTERIM", "STOP"]),
  recordNumber: z.int(),
  callId: z.string(),
  result: z.string().describe("what the CDF answered"),
  at: z.iso.datetime(),
});
export const deadLettersSchema = z.strictObject({
  count: z.int(),
  deadLetters: z.array(deadLetterSchema).describe("the oldest ones, 100 at most"),
});

export type ChargingReport = z.output<typeof chargingReportSchema>;
export type DeadLetter = z.output<typeof deadLetterSchema>;

import { z } from "zod";
import { causeCode } from "../accounting/cause-code.ts";
import type { AccountingRecord } from "../accounting/charging-session.ts";
import type { CdrLine } from "../queue/queue-database.ts";

const texts = z.array(z.string()).optional();
const text = z.string().optional();

/** One line of a CDR file: a session that has ended, or what was none. Members without a value are left out. */
export const cdrSchema = z.strictObject({
  cdr: z.literal(1).describe("version of this format; members may be added without a new one"),
  id: z.string().describe("Session-Id of Rf: who reads files of several ralfs counts each id once"),
  record: z.enum(["session", "event"]),
  node: z.string().describe("Node-Functionality: S-CSCF, P-CSCF ..."),
  nodeAddress: z.string(),
  role: z.enum(["originating", "terminating"]).optional(),
  icid: text.describe("IMS charging identifier: the same at all nodes of a session"),
  origIoi: text,
  termIoi: text,
  callId: z.string(),
  method: text.describe("SIP method of the event; absent for a session"),
  event: text,
  expires: z.int().optional().describe("s"),
  calling: z.array(z.string()).describe("asserted identities of who calls"),
  called: z.string().describe("Request-URI"),
  requested: text.describe("who was called, where the Request-URI is a contact"),
  answered: texts.describe("asserted identities of who answered"),
  accessNetwork: texts,
  visitedNetwork: text,
  servers: texts.describe("S-CSCFs that the HSS has named to the I-CSCF, or that it has selected"),
  start: z.iso.datetime().describe("200 to the INVITE; of an event: when it happened"),
  end: z.iso.datetime(),
  seconds: z.number().min(0).describe("from start to end, to the millisecond"),
  records: z.int().optional().describe("accounting records of the session, interim ones among them"),
  cause: z
    .int()
    .describe("Cause-Code (TS 32.299 §7.2.35): 0 end of a session, -1 success, 4xx to 6xx the SIP answer"),
  reason: texts.describe("Reason header fields"),
  lost: z.literal(true).optional().describe("nobody ended the session; end is when that was noticed"),
});
export type Cdr = z.output<typeof cdrSchema>;

/** The CDR lines of a record: of a session when it ends, of an event at once. */
export function cdrsOf(record: AccountingRecord): readonly CdrLine[] {
  const { recordType, sessionId, event, startTime, lost, recordNumber } = record;
  if (recordType === "START" || recordType === "INTERIM") return [];
  const isSession = recordType === "STOP";
  const start = startTime ?? event.time;
  const cdr: Cdr = {
    cdr: 1,
    id: sessionId,
    record: isSession ? "session" : "event",
    node: event.node,
    nodeAddress: event.nodeAddress,
    role: event.role,
    icid: event.icid,
    origIoi: event.origIoi,
    termIoi: event.termIoi,
    callId: event.callId,
    method: isSession ? undefined : event.method,
    event: event.event,
    expires: event.expires,
    calling: [...event.callingParty],
    called: event.calledParty,
    requested: event.requestedParty,
    answered: event.calledAsserted === undefined ? undefined : [...event.calledAsserted],
    accessNetwork: event.accessNetworkInfo === undefined ? undefined : [...event.accessNetworkInfo],
    visitedNetwork: event.visitedNetwork,
    servers: event.servers?.serverNames === undefined ? undefined : [...event.servers.serverNames],
    start: new Date(start).toISOString(),
    end: new Date(event.time).toISOString(),
    seconds: Math.max(0, event.time - start) / 1000,
    records: isSession ? recordNumber + 1 : undefined,
    cause: causeCode(record) ?? 0,
    reason: event.reason === undefined ? undefined : [...event.reason],
    lost: lost === true ? true : undefined,
  };
  return [{ id: sessionId, line: JSON.stringify(cdr) }];
}

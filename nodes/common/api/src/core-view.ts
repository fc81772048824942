import { z } from "zod";
import { registrationSchema } from "./registrations.ts";

/** API that ellis serves to staff about the core: its nodes, alarms, registrations, calls, ladders, diagnoses. */

const time = z.iso.datetime();
const strings = z.array(z.string());
const problems = strings.describe(
  "what could not be asked, one line each: the answer is a part of the truth",
);

/** As many characters as a name may have in a question. */
const LONGEST_KEY = 300;
const key = z
  .string()
  .min(1)
  .max(LONGEST_KEY)
  .describe("IMSI, private or public identity, telephone number, or Call-ID or ICID of a call");
const last = z.coerce.number().int().min(1).max(10).default(3).describe("how many registrations and calls");

export const coreMemberSchema = z.strictObject({
  name: z.string(),
  address: z.string().describe("host:port of its management port"),
  state: z.enum(["ready", "not-ready", "draining", "unreachable"]),
  since: time.optional().describe("since when this ellis has seen it so"),
  problem: z.string().optional().describe("why it could not be asked, or not for everything"),
  reasons: strings.describe("why it is not ready"),
  notes: strings.describe("what an operator should know although it serves"),
  version: z.string().optional(),
  uptimeSeconds: z.number().optional(),
  processorPercent: z.number().optional().describe("of one processor, since it was asked before"),
  memoryBytes: z.number().optional().describe("resident"),
  machineLoad: z.number().optional().describe("runnable processes in the last minute, for each processor"),
  host: z.string().optional().describe("name of the machine it runs on"),
  cell: z
    .string()
    .optional()
    .describe("of that machine, as the node was told: members of one cell share no host"),
  zone: z.string().optional().describe("availability zone of that machine, as the node was told"),
  site: z.string().optional(),
});
export type CoreMember = z.output<typeof coreMemberSchema>;

export const poolMapSchema = z.strictObject({
  time,
  pools: z.array(z.strictObject({ name: z.string(), members: z.array(coreMemberSchema) })),
  problems,
});
export type PoolMap = z.output<typeof poolMapSchema>;

const severity = z.enum(["CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE", "CLEARED"]);

/** 3GPP TS 28.532 AlarmRecord, with the node that has it. */
export const coreAlarmSchema = z.strictObject({
  node: z.string(),
  alarmId: z.number(),
  problemId: z.string(),
  specificProblem: z.string(),
  perceivedSeverity: severity,
  objectInstance: z.string(),
  additionalText: z.string(),
  alarmRaisedTime: z.string(),
  alarmChangedTime: z.string().optional(),
  alarmClearedTime: z.string().optional(),
  summary: z.string(),
  cause: z.string(),
  effect: z.string(),
  proposedRepairActions: z.string(),
});
export type CoreAlarm = z.output<typeof coreAlarmSchema>;

export const coreAlarmsSchema = z.strictObject({
  time,
  active: z.array(coreAlarmSchema).describe("worst first"),
  cleared: z.array(coreAlarmSchema).describe("the last that are over, the latest first"),
  problems,
});
export type CoreAlarms = z.output<typeof coreAlarmsSchema>;

export const recentQuerySchema = z.object({
  kind: z.enum(["all", "calls", "registrations", "in-progress"]).default("all"),
  search: z.string().max(LONGEST_KEY).optional().describe("part of an identity, Call-ID or ICID"),
  page: z.coerce.number().int().min(1).max(100).default(1),
});

export const recentExchangeSchema = z.strictObject({
  kind: z.enum(["registration", "call"]),
  callIds: strings,
  icid: z.string().optional(),
  from: z.string(),
  to: z.string(),
  began: time.optional().describe("undefined: before what the messages kept go back to"),
  state: z.enum([
    "registered",
    "deregistered",
    "challenged",
    "setting-up",
    "in-progress",
    "ended",
    "failed",
    "unanswered",
  ]),
  answer: z.string().optional().describe("final answer: status and reason"),
  answeredAt: time.optional(),
  endedAt: time.optional(),
  last: time.describe("last message seen"),
});
export type RecentRow = z.output<typeof recentExchangeSchema>;

export const recentPageSchema = z.strictObject({
  time,
  exchanges: z.array(recentExchangeSchema).describe("the latest first"),
  total: z.int().describe("that the search finds"),
  pages: z.int(),
  since: time.optional().describe("how far back messages were looked at"),
  counts: z
    .strictObject({
      calls: z.int().optional().describe("answered and not ended, as the P-CSCFs count them"),
      registrations: z.int().optional().describe("implicit registration sets with a flow at a P-CSCF"),
      flows: z.int().optional().describe("access flows with a registration"),
    })
    .describe("sums over the nodes that answer"),
  problems,
});
export type RecentPage = z.output<typeof recentPageSchema>;

export const registrationsQuerySchema = z.object({
  search: z.string().max(255).optional().describe("part of an identity"),
  after: z.string().max(255).optional().describe("`next` of the page before"),
});

export const registrationsPageSchema = z.strictObject({
  time,
  rows: z.array(
    z.strictObject({
      privateIdentity: z.string(),
      publicIdentities: strings,
      registrations: z
        .array(registrationSchema)
        .optional()
        .describe("undefined: the S-CSCF could not be asked"),
    }),
  ),
  next: z.string().optional(),
  problems,
});
export type RegistrationsPage = z.output<typeof registrationsPageSchema>;

export const ladderQuerySchema = z.object({ key, last });

export const rungSchema = z.strictObject({
  kind: z.enum(["message", "note"]),
  time: z.number().describe("ms since the epoch, with fractions"),
  from: z.string(),
  to: z.string().describe("of a note: the same as from"),
  label: z.string(),
  title: z.string(),
  family: z.string().describe("sip, cx, rf, decision, store, ..."),
  failed: z.boolean(),
  tookMs: z.number().optional().describe("from sender to receiver"),
  node: z.string().describe("whose trail it is in"),
  sequence: z.number(),
  ask: z.string().optional().describe("key with which the message itself can be asked for"),
});

export const ladderSchema = z.strictObject({
  method: z.string(),
  from: z.string(),
  to: z.string(),
  outcome: z.string(),
  start: z.number(),
  callIds: strings,
  icids: strings,
  participants: strings.describe("from left to right"),
  rungs: z.array(rungSchema),
  hidden: z.int().describe("rungs in the middle that are left out"),
});
export type Ladder = z.output<typeof ladderSchema>;

export const laddersSchema = z.strictObject({
  key: z.string(),
  ladders: z.array(ladderSchema),
  earlier: z.int().describe("registrations and calls that are left out"),
  oldest: time.optional().describe("of the oldest step that any node still has"),
  problems,
});
export type Ladders = z.output<typeof laddersSchema>;

export const stepQuerySchema = z.object({
  key,
  node: z.string().min(1).max(100),
  sequence: z.coerce.number().int().min(0),
  time: z.coerce.number().min(0),
});
export const stepSchema = z.strictObject({
  title: z.string(),
  text: z.string().describe("the message with its secrets taken out; octets of Diameter in base64"),
});

export const diagnosisSchema = z.strictObject({
  id: z.string(),
  severity: z.enum(["failure", "outcome", "notice"]),
  title: z.string(),
  said: z.string().describe("with the names and values of this case"),
  likely: z.boolean().describe("other causes would look the same"),
  over: z.boolean().describe("it has gone well since"),
  cause: z.string(),
  remedy: strings,
  clauses: strings,
  evidence: z.array(
    z.strictObject({ node: z.string(), sequence: z.number(), time: z.number(), title: z.string() }),
  ),
});
export const examinationSchema = z.strictObject({
  key: z.string(),
  subjects: z.array(
    z.strictObject({
      identity: z.string(),
      hss: z.string(),
      privateIdentity: z.string().optional(),
      contacts: z.int().optional().describe("registered now; undefined: the S-CSCF could not be asked"),
    }),
  ),
  diagnoses: z.array(diagnosisSchema).describe("of the subscriber as a whole"),
  exchanges: z.array(
    z.strictObject({
      start: z.number(),
      method: z.string(),
      from: z.string(),
      to: z.string(),
      outcome: z.string(),
      failed: z.boolean(),
      callIds: strings,
      diagnoses: z.array(diagnosisSchema),
    }),
  ),
  alarms: z.array(
    z.strictObject({ node: z.string(), severity: z.string(), summary: z.string(), text: z.string() }),
  ),
  earlier: z.int(),
  oldest: time.optional(),
  problems,
});
export type ExaminationDocument = z.output<typeof examinationSchema>;

import { z } from "zod";

/** Where homer takes fragments of calls, core port. */
export const CALL_FRAGMENTS_PATH = "/org.projectclearwater.call-list/fragments";
/** In one request. */
export const MAX_CALL_FRAGMENTS = 100;
export const MAX_CALL_URI = 512;
export const MAX_CALL_NAME = 255;

const ms = z.int().min(0).max(8_640_000_000_000_000);

const partySchema = z.object({
  uri: z.string().min(1).max(MAX_CALL_URI),
  /** As it is to be shown; "": none. */
  name: z.string().max(MAX_CALL_NAME),
});

const fragment = {
  /** Public identity of whose call list it is, canonical. */
  impu: z.string().min(1).max(MAX_CALL_URI),
  /** Names the call, among those that began in the same millisecond. */
  call: z.string().regex(/^[0-9a-f]{12}$/),
  /** ms since 1970. */
  startedAt: ms,
};
const parties = { outgoing: z.boolean(), to: partySchema, from: partySchema };

/** What is written of a call in the list of one party: it was answered, it ended, or it was never answered. */
export const callFragmentSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("begin"), ...fragment, ...parties, answeredAt: ms }),
  z.object({ kind: z.literal("end"), ...fragment, endedAt: ms }),
  z.object({ kind: z.literal("rejected"), ...fragment, ...parties }),
]);
export type CallFragment = z.output<typeof callFragmentSchema>;

export const callFragmentsSchema = z.object({
  fragments: z.array(callFragmentSchema).min(1).max(MAX_CALL_FRAGMENTS),
});

/** "unknown": of public identities that nobody has. */
export const callFragmentsReportSchema = z.object({ written: z.int().min(0), unknown: z.int().min(0) });
export type CallFragmentsReport = z.output<typeof callFragmentsReportSchema>;

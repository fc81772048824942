import { staffRoleSchema } from "@ims/api";
import { z } from "zod";

/** A number of an account: a public identity, with the private identity that it is used with. */
export const accountNumberSchema = z.object({
  id: z.string(),
  uri: z.string(),
  privateId: z.string(),
  pstn: z.boolean(),
  /** In the address book that all users see. */
  listed: z.boolean(),
  /** Being given since then (ms since the epoch): not the account's yet, homestead may say that it is somebody else's. */
  pendingSince: z.number().optional(),
});

export const accountSchema = z.object({
  email: z.string(),
  fullName: z.string(),
  /** As `hashPassword` writes it. */
  password: z.string(),
  /** Changed with the password, so that older sessions end. */
  sessionKey: z.string(),
  /** Sessions that were ended before their time. */
  endedSessions: z.array(z.object({ id: z.string(), until: z.number() })).default([]),
  createdAt: z.number(),
  /** Milliseconds since the epoch; undefined: it stays. */
  expiresAt: z.number().optional(),
  /** Hashes of tokens that set a new password: of every mail, or whoever asks for one more would undo those before. */
  recoveries: z.array(z.object({ hash: z.string(), until: z.number() })).default([]),
  /** Of staff; undefined: a user. */
  role: staffRoleSchema.optional(),
  numbers: z.array(accountNumberSchema),
  /** Grows with each change. */
  revision: z.number(),
});

export type AccountNumber = z.output<typeof accountNumberSchema>;
export type Account = z.output<typeof accountSchema>;

/** Numbers that an account has, and may do something with. */
export function numbersOf({ numbers }: Account): readonly AccountNumber[] {
  return numbers.filter(({ pendingSince }) => pendingSince === undefined);
}

const MAX_EMAIL = 254;

/** An address as it is stored and compared; undefined when it is none. No characters that mean something in mail headers. */
export function emailOf(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  if (email.length > MAX_EMAIL) return undefined;
  return /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(email)
    ? email
    : undefined;
}

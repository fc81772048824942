import { z } from "zod";

const hexadecimal = (digits: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${digits}}$`));
const field = z.string().min(1).max(1024);

/** What a client has answered to a Digest challenge (RFC 7616 §3.4, qop auth); who holds the secret judges it. */
export const digestProofSchema = z.strictObject({
  realm: field,
  algorithm: z.enum(["MD5", "SHA-256"]),
  method: z.string().regex(/^[A-Z]{1,32}$/),
  uri: z.string().min(1).max(8_192),
  nonce: field,
  cnonce: field,
  nc: hexadecimal(8),
  qop: z.literal("auth"),
  response: z.union([hexadecimal(32), hexadecimal(64)]),
});

/** `publicIdentities`: canonical, the default one first; only of who has proved to be that subscriber. */
export const digestVerdictSchema = z.discriminatedUnion("authenticated", [
  z.strictObject({ authenticated: z.literal(true), publicIdentities: z.array(z.string()).min(1) }),
  z.strictObject({ authenticated: z.literal(false) }),
]);

/** The subscriber that a public identity belongs to; `publicIdentities` as above. */
export const identityOwnerSchema = z.strictObject({
  impi: z.string(),
  publicIdentities: z.array(z.string()).min(1),
});

/**
 * An answer to an AKA challenge (RFC 3310, RFC 4169) that was wrong, as the trail of the S-CSCF tells of it: `print` is the first
 * half of SHA-256 of the response in lower case.
 */
export const akaAnswerSchema = z.strictObject({
  algorithm: z.enum(["AKAv1-MD5", "AKAv2-MD5"]),
  method: z.string().regex(/^[A-Z]{1,32}$/),
  realm: field,
  nonce: field,
  uri: z.string().max(1024),
  qop: z.literal("auth").optional(),
  nc: z.string().max(8).optional(),
  cnonce: z.string().max(1024).optional(),
  print: hexadecimal(32),
});

/** What the answer fits: the subscriber's OPc as it is; what follows when it is taken for OP (TS 35.206 §4.1); or neither. */
export const akaVerdictSchema = z.strictObject({ fits: z.enum(["opc", "op", "neither"]) });

export type AkaAnswer = z.output<typeof akaAnswerSchema>;
export type AkaVerdict = z.output<typeof akaVerdictSchema>;
export type DigestProof = z.output<typeof digestProofSchema>;
export type DigestVerdict = z.output<typeof digestVerdictSchema>;
export type IdentityOwner = z.output<typeof identityOwnerSchema>;

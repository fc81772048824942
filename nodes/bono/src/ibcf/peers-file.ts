import { HeaderSet, headerIdOf } from "@ims/sip";
import { z } from "zod";

const digits = z.string().regex(/^\+?[0-9*#]*$/, "digits");
const rule = z.strictObject({
  /** The longest prefix counts; "" for all others. */
  prefix: digits,
  replacement: digits,
});
const token = z.string().regex(/^[A-Za-z0-9\-.!%*_+`'~]+$/, "a token");

const identityUri = z.string().regex(/^(?:sips?|tel):[^\s<>",;]+(?:;[^\s<>",]*)?$/, "a SIP or tel URI");

/** What a message needs to be one, to find its way or to be believed: not for a table of header fields to omit (TS 24.229 §5.10.6.2). */
const KEPT = new HeaderSet([
  ...(["Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Contact", "Route", "Record-Route"] as const),
  ...(["Content-Length", "Content-Type", "Content-Encoding", "Content-Disposition", "MIME-Version"] as const),
  ...(["Require", "Proxy-Require", "Event", "Subscription-State", "RSeq", "RAck", "Refer-To"] as const),
  ...(["P-Asserted-Identity", "Privacy"] as const),
]);

/** A peer in the file of --ibcf-peers-file. */
export const peerEntry = z.strictObject({
  /** In the user part of our URIs: `ibcf.<name>`. */
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "letters a to z, digits and -"),
  description: z.string().optional(),
  /** Where its requests come from: addresses and networks. Default: the addresses in its targets. */
  addresses: z.array(z.string()).max(256).optional(),
  /** Whose requests go to it: a domain name, *.domain, or * for all others and for numbers. */
  domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^(?:\*|(?:\*\.)?[a-z0-9._-]+)$/, "a domain name, *.domain or *"),
    )
    .max(1_000)
    .default([]),
  targets: z.array(z.string()).max(16).default([]),
  order: z.enum(["failover", "rotate"]).default("failover"),
  trusted: z.boolean().default(false),
  ioi: token.optional(),
  options_seconds: z.int().min(0).max(3_600).default(30),
  answer_ms: z.int().min(100).max(30_000).default(4_000),
  number_form: z.enum(["sip", "as-is"]).default("sip"),
  number_host: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9._-]+$/, "a domain name or an address")
    .optional(),
  incoming_numbers: z.array(rule).max(1_000).default([]),
  outgoing_numbers: z.array(rule).max(1_000).default([]),
  methods: z.array(z.string().toUpperCase()).optional(),
  body_types: z.array(z.string().toLowerCase()).optional(),
  media_types: z.array(z.string().toLowerCase()).optional(),
  remove_headers: z
    .array(token.refine((name) => !KEPT.hasId(headerIdOf(name)), "a header field that cannot be omitted"))
    .max(64)
    .default([]),
  /** The subscriber whose calls these are: his services apply, and he may call whom he may call at home. */
  served_user: identityUri.optional(),
  /** Each call of the served user has to be proven by digest. */
  authenticate: z.boolean().default(false),
  identity: z
    .strictObject({
      numbers: z.array(digits.min(2)).max(1_000).default([]),
      default: identityUri.optional(),
    })
    .optional(),
});

export const peersFile = z.strictObject({ peers: z.array(peerEntry).max(1_000) });

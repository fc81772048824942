import { z } from "zod";

/** Options of the MMTEL application server, in sprout and by itself. */
export const mmtelOptions = {
  homer: z
    .array(z.url({ protocol: /^https?$/, error: "write http://host:port" }))
    .default([])
    .describe(
      "homer nodes with simservs documents, core port, as http://host:port, separated by commas; default: no telephony services",
    ),
  mmtelUri: z
    .string()
    .default("")
    .describe(
      "SIP URI of the MMTEL application server, its name in filter criteria; default: sip:mmtel.<home domain>",
    ),
  mmtelPort: z
    .int()
    .min(0)
    .max(65535)
    .default(5055)
    .describe("SIP port (TCP and UDP) of the MMTEL application server"),
  mmtelUnreadable: z
    .enum(["continue", "lastKnown", "refuse"])
    .default("continue")
    .describe(
      "a call whose simservs document cannot be read goes on without services (continue), with the document as it was last seen, else refused (lastKnown), or is answered 480 (refuse)",
    ),
  mmtelNoReplySeconds: z
    .int()
    .min(5)
    .max(180)
    .default(20)
    .describe("time to no-reply diversion when the document has none, s"),
  mmtelMaxDiversions: z.int().min(1).max(20).default(5).describe("how often one call may be diverted"),
  mmtelCountryCode: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,2})?$/, "digits without + or 00")
    .default("")
    .describe(
      "country code of the home network for barring of international calls; default: none is international",
    ),
  mmtelInternationalPrefix: z
    .string()
    .regex(/^[0-9]{1,5}$/)
    .default("00")
    .describe("what a number in another country is dialled with when it does not begin with +"),
  mmtelHomeNetworks: z
    .array(z.string().toLowerCase())
    .default([])
    .describe(
      "visited network identifiers and PLMNs (26201) in which a subscriber is not roaming, separated by commas, beside the home domain",
    ),
  conferenceUris: z
    .array(z.string())
    .default([])
    .describe(
      "conference (factory) URIs that go to the MRF, or domains for all of their users, separated by commas",
    ),
  mrfUri: z
    .string()
    .default("")
    .describe("SIP URI of the MRF for conferences; default: conference URIs are routed like others"),
};

export type MmtelOptions = z.output<z.ZodObject<typeof mmtelOptions>>;

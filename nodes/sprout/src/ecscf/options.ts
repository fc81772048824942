import { z } from "zod";

/** Options of the E-CSCF. */
export const emergencyOptions = {
  emergencyFile: z
    .string()
    .default("")
    .describe(
      "JSON file that says which PSAP answers emergency calls of which service and location, followed while it changes; default: no E-CSCF",
    ),
  ecscfPort: z.int().min(0).max(65535).default(5057).describe("E-CSCF SIP port (TCP and UDP)"),
  ecscfUri: z
    .string()
    .default("")
    .describe("SIP URI of the E-CSCF; default: its TCP port, of a pool member ecscf.<pool>"),
  psapTimeoutMs: z
    .int()
    .min(500)
    .max(60_000)
    .default(4_000)
    .describe("a PSAP that says nothing to an INVITE by then is passed over when there is another one, ms"),
};
export type EmergencyOptions = z.output<z.ZodObject<typeof emergencyOptions>>;

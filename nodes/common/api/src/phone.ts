import { z } from "zod";

/** What the softphone page has to know. */
export const phoneConfigurationSchema = z.object({
  servers: z
    .array(z.string())
    .describe("WebSocket URLs of P-CSCFs (RFC 7118), preferred one first; empty: there is no phone"),
  home_domain: z.string().describe("home network domain name: registrar, and domain of numbers"),
  turn: z.boolean().describe("whether GET /turn-credentials gives any"),
});
export type PhoneConfiguration = z.output<typeof phoneConfigurationSchema>;

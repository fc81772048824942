import { nameServiceOptions } from "@ims/runtime";
import { z } from "zod";

/** Options of telephone numbers and breakout. */
export const numberOptions = {
  enumDomain: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9._-]*$/, "a domain name")
    .default("")
    .describe("domain that numbers are looked up under by ENUM, as e164.arpa; default: not by DNS"),
  enumServers: nameServiceOptions.dnsServers.describe(
    "DNS servers for ENUM as address or address:port, separated by commas; default: those of --dns-servers",
  ),
  enumTimeoutMs: z
    .int()
    .min(50)
    .max(10_000)
    .default(500)
    .describe("how long a call waits for ENUM before it goes on without, ms"),
  enumFile: z
    .string()
    .default("")
    .describe("JSON file of number blocks that are translated without DNS, followed while it changes"),
  overrideNpdi: z
    .boolean()
    .default(false)
    .describe(
      "ask ENUM also for numbers that say that the number portability database has been asked (npdi)",
    ),
  sipToTel: z
    .boolean()
    .default(false)
    .describe("a SIP URI that is a global number becomes its tel URI before application servers see it"),
  enforceUserPhone: z
    .boolean()
    .default(true)
    .describe("a SIP URI of the home domain is a telephone number only with user=phone or user=dialstring"),
  dialPlanFile: z
    .string()
    .default("")
    .describe(
      "JSON file that says what local numbers and dial strings mean, by phone-context, followed while it changes",
    ),
  bgcfFile: z
    .string()
    .default("")
    .describe("JSON file of the routes of the BGCF, followed while it changes; default: no breakout"),
  bgcfPort: z.int().min(0).max(65535).default(5053).describe("BGCF SIP port (TCP and UDP)"),
  bgcfUri: z
    .string()
    .default("")
    .describe("SIP URI of the BGCF; default: its TCP port, of a pool member that of the pool"),
};
export type NumberOptions = z.output<z.ZodObject<typeof numberOptions>>;

import { z } from "zod";

/** Options of the application servers beside MMTEL that run in sprout. */
export const hostedServerOptions = {
  callLists: z
    .array(z.url({ protocol: /^https?$/, error: "write http://host:port" }))
    .default([])
    .describe(
      "homer nodes that keep call lists, core port, as http://host:port, separated by commas: filter criteria may name sip:memento.<home domain>; default: no call lists",
    ),
  twinning: z
    .stringbool()
    .default(false)
    .describe(
      "twin VoIP clients with mobile phones: filter criteria may name sip:mobile-twinned@gemini.<home domain>;twin-prefix=<prefix>",
    ),
  communicationDiversion: z
    .stringbool()
    .default(false)
    .describe(
      "divert as filter criteria say that name sip:communication-diversion.<home domain>;target=<URI>;conditions=<busy+no-answer+...>",
    ),
  applicationServers: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "application servers of others that run in sprout: paths of their ES modules, separated by commas; filter criteria may name sip:<name of the server>.<home domain>",
    ),
  applicationServerSettingsFile: z
    .string()
    .default("")
    .describe("JSON file with the settings of those servers: an object for each, by its name"),
  applicationServerTimeoutMs: z
    .int()
    .min(50)
    .max(60_000)
    .default(2_000)
    .describe(
      "how long one of those servers may do nothing with a request, ms; then the default handling of the filter criterion applies",
    ),
};

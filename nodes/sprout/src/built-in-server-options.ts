import { z } from "zod";

/** Options of the application servers beside MMTEL that run in sprout. */
export const builtInServerOptions = {
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
};

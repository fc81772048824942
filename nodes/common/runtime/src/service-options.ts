import { z } from "zod";
import { LOG_LEVELS } from "./log/logger.ts";
import { hepOptions } from "./trail/hep/hep-options.ts";
import { otlpOptions } from "./trail/otlp/otlp-options.ts";

const place = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9._:-]{0,63}$/, "write letters, digits, dots, colons and dashes, 63 at most")
    .default("")
    .describe(`${what}; shown where nodes are shown; default: it is not known`);

/** Options of every process. A node that declares a key of the same name replaces it. */
export const serviceOptions = z.object({
  logLevel: z
    .enum(LOG_LEVELS)
    .default("info")
    .describe("least severe log line written")
    .meta({ reload: "hot" }),
  managementAddress: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address of /metrics, /health and /alarms"),
  managementPort: z
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe("port of /metrics, /health and /alarms, 0: any free one"),
  managementTokenFile: z
    .string()
    .default("")
    .describe(
      "file with the token that callers of the management port must present for more than metrics and health; needed beyond loopback",
    ),
  worker: z
    .int()
    .min(0)
    .max(1_000)
    .default(0)
    .describe(
      "number of this process among the workers of its node, which log lines tell; 0: there are none",
    ),
  runDir: z
    .string()
    .default("")
    .describe("folder where this process says which management port it has; default: nowhere"),
  cell: place("cell of the machine that this process runs on: members of one cell share no host"),
  zone: place("availability zone of that machine"),
  quiesceSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(5)
    .describe("longest wait for work in progress after SIGTERM")
    .meta({ reload: "hot" }),
  trailBytes: z
    .int()
    .min(0)
    .max(1_073_741_824)
    .default(16_777_216)
    .describe("memory for the last steps of registrations and calls (/trail), bytes; 0: none are kept"),
  trailSteps: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(32_768)
    .describe("how many of those steps are kept at most"),
  ...hepOptions,
  ...otlpOptions,
  // Measured: 8 ms in place of 4 save a tenth, and cost a call 8 ms (docs/adr/0005-receive-coalescing.md).
  coalesceAboveRate: z
    .number()
    .min(0)
    .default(1000)
    .describe("messages a second from which on reads are coalesced"),
  coalesceMs: z
    .int()
    .min(0)
    .max(10)
    .default(6)
    .describe("longest pause between reads when coalescing, ms; 0: never"),
});
export type ServiceOptions = z.output<typeof serviceOptions>;

/** The schema of a node with the options of every process added. */
export function withServiceOptions<Schema extends z.ZodObject>(schema: Schema): z.ZodObject {
  const missing = Object.entries(serviceOptions.shape).filter(([key]) => !Object.hasOwn(schema.shape, key));
  return schema.safeExtend(Object.fromEntries(missing)) as unknown as z.ZodObject;
}

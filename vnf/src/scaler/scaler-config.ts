import { z } from "zod";
import { type Fault, readYaml } from "../model/yaml-file.ts";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "small letters, digits and hyphens, 31 at most");
const seconds = z.int().min(0).max(86_400);

const signal = z
  .strictObject({
    query: z.string().min(1).max(4_096).describe("PromQL with one number as its answer"),
    out: z.number().describe("above it the pool is too small"),
    in: z.number().describe("below it the pool may be too large"),
  })
  .refine((value) => value.in < value.out, { message: "in must be below out", path: ["in"] });

const pool = z
  .strictObject({
    min: z.int().min(1).max(1_000),
    max: z.int().min(1).max(1_000),
    signals: z.record(z.string().regex(/^[a-z0-9-]{1,40}$/), signal).default({}),
    samples: z.int().min(1).max(100).default(3).describe("so many in a row must agree"),
    cooldown: z
      .strictObject({
        out: seconds.default(300).describe("s after any change before the pool grows"),
        in: seconds.default(900).describe("s after any change before the pool shrinks"),
      })
      .prefault({}),
  })
  .refine((value) => value.min <= value.max, { message: "min is above max", path: ["min"] });

/** scaler.yaml */
export const scalerFile = z
  .strictObject({
    version: z.literal(1),
    vnf: z.string().min(1),
    pools: z.record(name, pool),
    joinTokenFile: z
      .string()
      .min(1)
      .optional()
      .describe("token for members that come, read before each growth; default: the one the stack has"),
    prometheus: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }),
        intervalSeconds: z.int().min(1).max(3_600).default(30),
        tokenFile: z.string().min(1).optional(),
        caFile: z.string().min(1).optional(),
      })
      .optional(),
    webhook: z
      .strictObject({
        address: z.string().min(1).default("127.0.0.1"),
        port: z.int().min(0).max(65_535),
        secretFile: z.string().min(1),
        certificateFile: z.string().min(1).optional(),
        keyFile: z.string().min(1).optional(),
      })
      .refine((value) => (value.certificateFile === undefined) === (value.keyFile === undefined), {
        message: "certificateFile and keyFile belong together",
      })
      .optional(),
  })
  .refine((value) => Object.keys(value.pools).length > 0, { message: "no pool", path: ["pools"] })
  .refine((value) => value.prometheus !== undefined || value.webhook !== undefined, {
    message: "neither prometheus nor webhook: nothing would ever ask for another size",
  });

export type ScalerConfig = z.output<typeof scalerFile>;
export type ScaledPool = ScalerConfig["pools"][string];

export type ScalerConfigReading =
  | { readonly kind: "config"; readonly config: ScalerConfig }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] };

/** Reads scaler.yaml; every fault with its line. */
export function readScalerConfig(text: string, file: string): ScalerConfigReading {
  const reading = readYaml(text, file, scalerFile);
  if (reading.kind === "bad") return reading;
  const config = reading.value;
  if (config.prometheus === undefined)
    for (const [pool, { signals }] of Object.entries(config.pools))
      if (Object.keys(signals).length > 0)
        return {
          kind: "bad",
          faults: [reading.fault(["pools", pool, "signals"], "signals need prometheus.url")],
        };
  return { kind: "config", config };
}

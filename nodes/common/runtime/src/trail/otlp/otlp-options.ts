import { z } from "zod";

export const otlpOptions = {
  otlpEndpoint: z
    .string()
    .default("")
    .refine(
      (text) => text === "" || /^https?:$/.test(URL.parse(text)?.protocol ?? ""),
      "write it as http://192.0.2.1:4318/v1/traces",
    )
    .describe(
      "OpenTelemetry collector that is told of transactions as spans (OTLP/HTTP, JSON), such as http://192.0.2.1:4318/v1/traces; needs the trail",
    ),
  otlpSample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("share of registrations and calls that it is told of, the same ones by all nodes"),
  otlpRate: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe("messages a second that are looked at for it at most"),
};

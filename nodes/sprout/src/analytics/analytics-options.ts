import { z } from "zod";

export const analyticsOptions = {
  analyticsDir: z
    .string()
    .default("")
    .describe(
      "directory of the files with registrations, calls and subscriptions as they happen; default: none are written",
    ),
  analyticsMaxMegabytes: z
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe("a file of analytics events is finished at, MB"),
  analyticsMaxSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(900)
    .describe("a file of analytics events is finished after, s"),
  // A day and more of quarters of an hour; with the default size 6.4 GB at most.
  analyticsMaxFiles: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100)
    .describe("finished files of analytics events that are kept, the oldest are removed"),
  // About 60 MB.
  analyticsQueue: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(100_000)
    .describe("analytics events that wait to be written at most; more are dropped and counted"),
  analyticsKafka: z
    .array(z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:,]+):[0-9]{1,5}$/, "write host:port"))
    .default([])
    .describe(
      "brokers of Kafka that the same events go to, as host:port, separated by commas; default: none",
    ),
  analyticsKafkaTopic: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,249}$/, "letters, digits, dots, hyphens and underscores, 249 at most")
    .default("tidewater.analytics")
    .describe("topic of the events"),
  analyticsKafkaTls: z.stringbool().default(false).describe("TLS towards the brokers"),
  analyticsKafkaCaFile: z
    .string()
    .default("")
    .describe("file with the PEM certificates of the authorities of the brokers; default: those of Node")
    .meta({ needs: ["analyticsKafkaTls"] }),
  analyticsKafkaUser: z
    .string()
    .default("")
    .describe("user of SASL; default: none is asked for")
    .meta({ needs: ["analyticsKafkaPasswordFile"] }),
  analyticsKafkaPasswordFile: z
    .string()
    .default("")
    .describe("file with the password of that user")
    .meta({ needs: ["analyticsKafkaUser"] }),
  analyticsKafkaMechanism: z
    .enum(["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
    .default("SCRAM-SHA-512")
    .describe("mechanism of SASL"),
};

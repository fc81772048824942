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
};

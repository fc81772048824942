import { z } from "zod";

/** Options of a node with HTTP servers of its own, for HttpAdmission; `servers`: which they are, for the help. */
export function httpAdmissionOptions(servers: string) {
  return {
    httpOverloadTargetMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(50)
      .describe(`how long a request to ${servers} may wait before others are refused, ms; 0: never refuse`),
    httpOverloadFloor: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe(`requests a second to ${servers} that are taken whatever the delay is`),
    httpClientConnections: z
      .int()
      .min(1)
      .max(65_535)
      .default(512)
      .describe(`connections that one client may have to ${servers}`),
  };
}

import { z } from "zod";
import { hepAddressOf } from "./hep-collector.ts";

export const hepOptions = {
  hepCollector: z
    .string()
    .default("")
    .refine(
      (text) => text === "" || hepAddressOf(text) !== undefined,
      "write it as udp:192.0.2.1:9060 or tcp:192.0.2.1:9060",
    )
    .describe(
      "HEP3 collector (Homer) that is told of SIP and Diameter messages: udp:host:port or tcp:host:port; needs the trail",
    ),
  hepCaptureId: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .default(2001)
    .describe("capture agent id of this node at the HEP collector"),
  hepKey: z
    .string()
    .max(255)
    .default("")
    .describe("key that authenticates this node at the HEP collector; sent in the clear")
    .meta({ secret: true }),
  hepSample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      "share of registrations and calls that the HEP collector is told of, the same ones by all nodes",
    ),
  hepRate: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(2_000)
    .describe("messages a second that the HEP collector is told of at most"),
};

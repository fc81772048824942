import assert from "node:assert/strict";
import { test } from "node:test";
import { shownOptions } from "@ims/runtime";
import { z } from "zod";

test("options are shown with their source and without secrets", () => {
  const schema = z.object({
    port: z.int().default(5060),
    gruuKey: z.string().default("").meta({ secret: true }),
    nonceKey: z.string().default(""),
    emptyKey: z.string().default(""),
    tlsKey: z.string().default(""),
    ralf: z.array(z.string()).default([]),
  });
  const shown = shownOptions(
    schema,
    {
      port: 5061,
      gruuKey: "TELLTALE",
      nonceKey: "TELLTALE",
      emptyKey: "",
      tlsKey: "/etc/tidewater/key.pem",
      ralf: ["http://user:TELLTALE@10.0.0.1:10888", "http://10.0.0.2:10888"],
    },
    new Map([["port", "--port"]]),
  );
  assert.deepEqual(shown, {
    port: { value: 5061, source: "--port" },
    gruuKey: { value: "[secret]", source: "default" },
    nonceKey: { value: "[secret]", source: "default" },
    emptyKey: { value: "", source: "default" },
    tlsKey: { value: "/etc/tidewater/key.pem", source: "default" },
    ralf: { value: ["http://[secret]@10.0.0.1:10888", "http://10.0.0.2:10888"], source: "default" },
  });
});

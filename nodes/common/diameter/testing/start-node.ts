import type { TestContext } from "node:test";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { cx } from "../src/cx/application.ts";
import { DiameterNode } from "../src/diameter-node.ts";
import type { DiameterNodeOptions } from "../src/options.ts";

/** A node with Cx that is stopped with the test. Waits are short; `overrides` replace any option. */
export function startNode(
  t: TestContext,
  originHost: string,
  overrides: Partial<DiameterNodeOptions> = {},
): DiameterNode {
  const node = new DiameterNode({
    originHost,
    originRealm: "example.com",
    productName: "tidewater",
    applications: [cx],
    clock: systemClock(),
    log: memoryLogger("silent"),
    ...overrides,
    timing: { disconnectTimeoutMs: 50, ...overrides.timing },
  });
  t.after(() => node.stop());
  return node;
}

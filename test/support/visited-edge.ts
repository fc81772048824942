import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";
import type { CoreUnderTest } from "./core-under-test.ts";
import { startLoneNode } from "./lone-node.ts";
import type { SippTarget } from "./sipp-call.ts";

/** A P-CSCF of another network, on a loopback address of its own, that sends its registrations to the home network of `core`. Ended with the test. */
export async function startVisitedEdge(
  t: TestContext,
  core: CoreUnderTest,
  visitedNetworkId: string,
): Promise<SippTarget> {
  const host = `127.${randomInt(121, 125)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  await startLoneNode(t, "bono", [
    ...["--host", host, "--visited-network-id", visitedNetworkId, "--home-domain", core.domain],
    ...["--icscf-uri", `sip:${core.host}:5052;transport=tcp`],
    ...["--management-address", host, "--management-port", "0"],
  ]);
  return { target: `${host}:5060`, domain: core.domain, transport: "udp" };
}

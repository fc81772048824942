import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { launchCore } from "../../support/core-under-test.ts";
import { edgeSuite } from "../edge-suite.ts";
import { tortures, withTrueLength } from "./expectations.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
if (hasIpv6)
  edgeSuite({
    name: "RFC 5118 at the P-CSCF of a running core on ::1",
    tortures: [...tortures, ...withTrueLength],
    start: async (hooks) => {
      const core = await launchCore({ host: "::1" });
      hooks.after(() => core.stop());
      return core.sip;
    },
  });
else test("RFC 5118 at the P-CSCF on ::1", { skip: "this machine has no IPv6 loopback address" }, () => {});

import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { edgeSuite } from "../edge-suite.ts";
import { stackEdge } from "../stack-edge.ts";
import { tortures, withTrueLength } from "./expectations.ts";

const all = [...tortures, ...withTrueLength];

edgeSuite({
  name: "RFC 5118 at the SIP stack",
  tortures: all,
  start: (hooks) => stackEdge(hooks, "127.0.0.1"),
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
if (hasIpv6)
  edgeSuite({
    name: "RFC 5118 at the SIP stack on ::1",
    tortures: all,
    start: (hooks) => stackEdge(hooks, "::1"),
  });
else
  test("RFC 5118 at the SIP stack on ::1", { skip: "this machine has no IPv6 loopback address" }, () => {});

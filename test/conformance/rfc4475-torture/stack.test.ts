import { edgeSuite } from "../edge-suite.ts";
import { stackEdge } from "../stack-edge.ts";
import { tortures, withTrueLength } from "./expectations.ts";

edgeSuite({
  name: "RFC 4475 at the SIP stack",
  tortures: [...tortures, ...withTrueLength],
  start: (hooks) => stackEdge(hooks, "127.0.0.1"),
});

import { edgeSuite } from "../edge-suite.ts";
import { stackEdge } from "../stack-edge.ts";
import { tortures } from "./expectations.ts";

edgeSuite({ name: "RFC 4475 at the SIP stack", tortures, start: (hooks) => stackEdge(hooks, "127.0.0.1") });

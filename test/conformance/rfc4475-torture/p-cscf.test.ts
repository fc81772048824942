import assert from "node:assert/strict";
import { test } from "node:test";
import { launchCore } from "../../support/core-under-test.ts";
import { rawUdpClient } from "../../support/raw-sip-client.ts";
import type { Edge } from "../edge.ts";
import { edgeSuite } from "../edge-suite.ts";
import { fresh } from "../torture.ts";
import { tortures, withTrueLength } from "./expectations.ts";

let edge: Edge = { host: "", udpPort: 0, tcpPort: 0 };

edgeSuite({
  name: "RFC 4475 at the P-CSCF of a running core",
  tortures: [...tortures, ...withTrueLength],
  start: async (hooks) => {
    const core = await launchCore();
    hooks.after(() => core.stop());
    edge = core.sip;
    return edge;
  },
});

/** The torture REGISTERs are for nobody here; these are the same for somebody who is provisioned. */
for (const name of ["regaut01", "cparam01", "cparam02", "regescrt", "escnull"])
  test(`RFC 4475 ${name} for a user who is provisioned: 401 with a challenge`, async (t) => {
    const torture = tortures.find((one) => one.name === name);
    assert.ok(torture !== undefined);
    const text = fresh(torture, `x${name}`).replace(/(?<=^(?:To|From): sip:)[^@]+@/gim, "6505550000@");
    const client = await rawUdpClient(t, { host: edge.host, port: edge.udpPort });
    client.send(text);
    const response = await client.expect("401", (message) => /^SIP\/2\.0 [2-6]/.test(message));
    assert.match(response, /^SIP\/2\.0 401 /);
    assert.match(response, /\r\nWWW-Authenticate: Digest /);
  });

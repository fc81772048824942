import assert from "node:assert/strict";
import { test } from "node:test";
import { Baresip, hasBaresip } from "../support/baresip.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startCore } from "../support/core-under-test.ts";

const skip = hasBaresip() ? false : "baresip is not installed (scripts/install-test-tools)";

for (const transport of ["udp", "tcp", "tls"] as const) {
  test(`baresip over ${transport.toUpperCase()}: two UEs register, call, hear each other and hang up`, {
    skip,
  }, async (t) => {
    const certificate = makeCertificate(t, ["example.com"]);
    const args = [
      "--set",
      `bono.tls-cert-file=${certificate.certFile}`,
      "--set",
      `bono.tls-key-file=${certificate.keyFile}`,
    ];
    const core = await startCore(t, transport === "tls" ? { args } : {});
    const port = transport === "tls" ? core.sip.tlsPort : core.sip.udpPort;
    const common = {
      domain: core.domain,
      password: "secret",
      proxy: `${core.host}:${port}`,
      transport,
      address: "127.0.0.1",
    } as const;
    const caller = await Baresip.start(t, { ...common, user: "6505550000", toneHz: 440, answer: "manual" });
    const callee = await Baresip.start(t, { ...common, user: "6505550001", toneHz: 1000, answer: "auto" });
    await caller.registered();
    await callee.registered();

    caller.command("dial", `sip:6505550001@${core.domain}`);
    await callee.expect("CALL_INCOMING");
    await caller.expect("CALL_ESTABLISHED");
    await callee.expect("CALL_ESTABLISHED");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    caller.command("hangup");
    await callee.expect("CALL_CLOSED");
    await new Promise((resolve) => setTimeout(resolve, 300));

    const [atCaller, atCallee] = [caller.heardHz(), callee.heardHz()];
    t.diagnostic(`the caller heard ${atCaller} Hz, the callee ${atCallee} Hz`);
    assert.ok(Math.abs(atCaller - 1000) < 30, `the caller heard ${atCaller} Hz`);
    assert.ok(Math.abs(atCallee - 440) < 30, `the callee heard ${atCallee} Hz`);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { Baresip, hasBaresip } from "../support/baresip.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startCore } from "../support/core-under-test.ts";

/** Real time that is spoken: the media runs in its own pace. */
const SPEAK_MS = 2500;

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
    try {
      await caller.registered();
      await callee.registered();

      caller.command("dial", `sip:6505550001@${core.domain}`);
      await caller.expect("CALL_ESTABLISHED");
      await callee.expect("CALL_ESTABLISHED");
      await new Promise((resolve) => setTimeout(resolve, SPEAK_MS));
      caller.command("hangup");
      await callee.expect("CALL_CLOSED");

      const [atCaller, atCallee] = [caller.heardHz(), callee.heardHz()];
      t.diagnostic(`the caller heard ${atCaller} Hz, the callee ${atCallee} Hz`);
      assert.ok(Math.abs(atCaller - 1000) < 30, `the caller heard ${atCaller} Hz`);
      assert.ok(Math.abs(atCallee - 440) < 30, `the callee heard ${atCallee} Hz`);
      for (const ue of [caller, callee]) {
        const hop = `${transport.toUpperCase()} ${core.host}:${port} -> 127.0.0.1`;
        assert.ok(ue.output().includes(hop), `nothing came over "${hop}"`);
      }
      // A UE deregisters when it ends: before the core does.
      await Promise.all([caller.stop(), callee.stop()]);
      for (const ue of [caller, callee]) {
        const sinceDeregister = ue.output().split("expires=0").at(-1) ?? "";
        assert.match(sinceDeregister, /SIP\/2\.0 200 OK\n(?:.+\n)*CSeq: \d+ REGISTER/, "not deregistered");
      }
    } catch (error) {
      const outputs = `--- caller\n${caller.output()}\n--- callee\n${callee.output()}\n--- core\n${core.output()}`;
      throw new Error(`${error instanceof Error ? error.message : error}\n${outputs}`, { cause: error });
    }
  });
}

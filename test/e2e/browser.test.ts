import assert from "node:assert/strict";
import { test } from "node:test";
import { launchBrowser, noBrowser, openUe, type PageUe, servePage } from "../support/browser.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startCore } from "../support/core-under-test.ts";

declare const ue: PageUe;

for (const scheme of ["ws", "wss"] as const) {
  test(`browser over ${scheme.toUpperCase()} (RFC 7118): two pages register, call, hear each other and hang up`, {
    skip: noBrowser,
  }, async (t) => {
    const certificate = makeCertificate(t, ["localhost"]);
    const secure = [
      "--set",
      `bono.tls-cert-file=${certificate.certFile}`,
      "--set",
      `bono.tls-key-file=${certificate.keyFile}`,
    ];
    const core = await startCore(t, scheme === "wss" ? { args: secure } : {});
    const server =
      scheme === "ws" ? `ws://${core.host}:${core.sip.wsPort}` : `wss://${core.host}:${core.sip.wssPort}`;
    const page = await servePage(t);
    const browser = await launchBrowser(t);
    const alice = await openUe(browser, page, core, { server, user: "6505550000" });
    const bob = await openUe(browser, page, core, { server, user: "6505550001" });

    await alice.evaluate((uri) => ue.call(uri), `sip:6505550001@${core.domain}`);
    for (const tab of [alice, bob])
      await tab
        .waitForFunction(() => ue.state() === "Established", undefined, { timeout: 20_000 })
        .catch(async (error: unknown) => {
          assert.fail(
            `${String(error)}: ${JSON.stringify(await tab.evaluate(() => ue.log()))}\n${core.output()}`,
          );
        });
    await alice.waitForTimeout(3000);
    const heard = [await alice.evaluate(() => ue.heard()), await bob.evaluate(() => ue.heard())];
    t.diagnostic(
      `heard by the caller ${JSON.stringify(heard[0])}, by the callee ${JSON.stringify(heard[1])}`,
    );
    for (const { packets, energy } of heard) {
      assert.ok(packets > 50, `${packets} packets`);
      assert.ok(energy > 0.0001, `energy ${energy}`);
    }
    await bob.evaluate(() => ue.hangup());
    await alice.waitForFunction(() => ue.state() === "Terminated", undefined, { timeout: 5000 });
    await alice.evaluate(() => ue.unregister());
  });
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Baresip, hasBaresip } from "../support/baresip.ts";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import { startCore } from "../support/core-under-test.ts";
import { noRtpengine } from "../support/rtpengine.ts";
import { SoftphonePage, watchMedia } from "../support/softphone.ts";

const SOFTPHONE = "6505550000";
const PHONE = "6505550001";

test("softphone: a phone with RTP/AVP is called through rtpengine; both hear each other, keys arrive (RFC 4733), its hold is shown", {
  skip:
    noRtpengine ||
    noBrowser ||
    (hasBaresip() ? false : "baresip is not installed (scripts/install-test-tools)"),
}, async (t) => {
  const core = await startCore(t, { args: ["--ellis", "--media-gateway"] });
  const { domain, host } = core;
  const phone = await Baresip.start(t, {
    ...{ domain, password: "secret", proxy: `${host}:5060`, transport: "udp" },
    ...{ address: "127.0.0.1", user: PHONE, toneHz: 440, answer: "manual" },
  });
  const browser = await launchBrowser(t);
  await watchMedia(browser);
  const account = { email: "alice@example.com", password: "a long secret", full_name: "Alice" };
  const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
  for (const [path, data] of [
    ["/accounts", { ...account, signup_code: code }],
    ["/session", account],
  ] as const)
    assert.equal((await browser.request.post(`http://${host}:8080${path}`, { data })).status(), 201);

  // A subscriber whom ellis does not know: written by hand.
  const tab = await browser.newPage();
  const softphone = new SoftphonePage(tab, SOFTPHONE);
  await tab.goto(`http://${host}:8080/phone`);
  await tab.locator("#credentials [name=impu]").fill(`sip:${SOFTPHONE}@${domain}`);
  await softphone.signOn("secret");
  await softphone.registered();
  await phone.registered();

  await softphone.dial(PHONE);
  await phone.expect("CALL_INCOMING");
  await softphone.state(PHONE, "It rings there");
  phone.command("accept");
  await softphone.state(PHONE, "Talking");
  await softphone.hears("energy", 0.01);
  await softphone.until("the phone to hear something", async () => phone.heardHz() > 0);
  await softphone.press(PHONE, "Keys");
  await softphone.tap(
    softphone.call(PHONE).locator(".tones").getByRole("button", { name: "7", exact: true }),
  );
  const key = await phone.expect("CALL_DTMF_START", 30_000);
  assert.equal(key.param, "7");
  phone.command("hold");
  await softphone.state(PHONE, "They hold you");
  phone.command("resume");
  await softphone.state(PHONE, "Talking");
  phone.command("hangup");
  await softphone.calls(0);
  assert.deepEqual(softphone.faults, []);
});

import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Baresip, hasBaresip } from "../support/baresip.ts";
import { launchBrowser, noBrowser, openUe, type PageUe, servePage } from "../support/browser.ts";
import { type CoreUnderTest, launchCore, startCore } from "../support/core-under-test.ts";
import { noRtpengine, RtpengineOfLab } from "../support/rtpengine.ts";

declare const ue: PageUe;

/** Real time that is spoken: the media runs in its own pace. */
const SPEAK_MS = 1_500;
const BROWSER = "6505550000";
const OTHER_BROWSER = "6505550001";
const PHONE = "6505550002";

const skip =
  noRtpengine ||
  noBrowser ||
  (hasBaresip() ? false : "baresip is not installed (scripts/install-test-tools)");

let core: CoreUnderTest;
let rtpengine: RtpengineOfLab;
before(async () => {
  if (skip !== false) return;
  core = await launchCore({ args: ["--media-gateway"] });
  rtpengine = new RtpengineOfLab(core);
  await core.addSubscriber({
    impi: `${PHONE}@${core.domain}`,
    impus: [`sip:${PHONE}@${core.domain}`],
    password: "secret",
  });
});
after(() => core?.stop());

interface Ues {
  readonly browser: BrowserContext;
  readonly page: string;
  readonly tab: Page;
  readonly phone: Baresip;
}

/** A browser and a phone of RTP/AVP, both registered. */
async function bothUes(t: TestContext): Promise<Ues> {
  const [page, browser] = [await servePage(t), await launchBrowser(t)];
  const phone = await Baresip.start(t, {
    ...{ domain: core.domain, password: "secret", proxy: `${core.host}:5060`, transport: "udp" },
    ...{ address: "127.0.0.1", user: PHONE, toneHz: 440, answer: "manual" },
  });
  const tab = await registeredTab(browser, page, BROWSER);
  await phone.registered();
  return { browser, page, tab, phone };
}

function registeredTab(browser: BrowserContext, page: string, user: string): Promise<Page> {
  return openUe(browser, page, core, { server: `ws://${core.host}:${core.sip.wsPort}`, user });
}

async function inState(tab: Page, state: string): Promise<void> {
  await tab
    .waitForFunction((wanted) => ue.state() === wanted, state, { timeout: 20_000 })
    .catch(async (error: unknown) => {
      assert.fail(
        `${String(error)}: ${JSON.stringify(await tab.evaluate(() => ue.log()))}\n${core.output()}`,
      );
    });
}

/** Both have heard the other one. */
async function haveHeard(t: TestContext, { tab, phone }: Ues): Promise<void> {
  const { packets, energy } = await tab.evaluate(() => ue.heard());
  const hz = phone.heardHz();
  t.diagnostic(`the browser got ${packets} packets, energy ${energy}; the phone heard ${hz} Hz`);
  assert.ok(packets > 50, `${packets} packets`);
  assert.ok(energy > 0.0001, `energy ${energy}`);
  // Chromium's microphone beeps: whatever frequency, silence has none.
  assert.ok(hz > 0, "the phone heard nothing");
}

/** Waits for a line of the phone's SIP trace. */
async function untilItSays(phone: Baresip, line: RegExp): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!line.test(phone.output())) {
    assert.ok(Date.now() < deadline, `no ${line.source} in the phone's trace`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const speak = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SPEAK_MS));

async function ring(tab: Page, phone: Baresip): Promise<void> {
  await tab.evaluate((uri) => ue.call(uri), `sip:${PHONE}@${core.domain}`);
  await phone.expect("CALL_INCOMING");
}

test("TS 23.228 annex U: a browser and a phone with RTP/AVP call each other through rtpengine and hear each other; what ends leaves nothing there", {
  skip,
}, async (t) => {
  const ues = await bothUes(t);
  const { tab, phone } = ues;
  try {
    // The browser calls.
    await ring(tab, phone);
    assert.equal((await rtpengine.sessions()).length, 1);
    phone.command("accept");
    await inState(tab, "Established");
    await speak();
    await haveHeard(t, ues);
    phone.command("hangup");
    await inState(tab, "Terminated");
    await rtpengine.untilSessions(0);

    // The phone calls.
    phone.command("dial", `sip:${BROWSER}@${core.domain}`);
    await phone.expect("CALL_ESTABLISHED");
    await inState(tab, "Established");
    await speak();
    await haveHeard(t, ues);
    assert.equal((await rtpengine.sessions()).length, 1);
    // A re-INVITE holds the call, the next one goes on with it.
    phone.command("hold");
    await untilItSays(phone, /^a=recvonly$/m);
    phone.command("resume");
    const { packets } = await tab.evaluate(() => ue.heard());
    await tab.waitForFunction(async (had) => (await ue.heard()).packets > had + 25, packets, {
      timeout: 10_000,
    });
    assert.equal((await rtpengine.sessions()).length, 1);
    await tab.evaluate(() => ue.hangup());
    await rtpengine.untilSessions(0);

    // CANCEL, and a refusal.
    await ring(tab, phone);
    assert.equal((await rtpengine.sessions()).length, 1);
    await tab.evaluate(() => ue.cancel());
    await inState(tab, "Terminated");
    await rtpengine.untilSessions(0);
    await ring(tab, phone);
    phone.command("hangup");
    await inState(tab, "Terminated");
    await rtpengine.untilSessions(0);
  } catch (error) {
    throw new Error(`${String(error)}\n${phone.output()}\n${core.output()}`, { cause: error });
  }
});

test("auto: two browsers need no media gateway; one that hangs is an alarm, calls that need it are refused in time, and it is used again when it wakes up", {
  skip,
}, async (t) => {
  const { browser, page, tab, phone } = await bothUes(t);
  const other = await registeredTab(browser, page, OTHER_BROWSER);
  await tab.evaluate((uri) => ue.call(uri), `sip:${OTHER_BROWSER}@${core.domain}`);
  await inState(tab, "Established");
  assert.deepEqual(await rtpengine.sessions(), []);
  await tab.evaluate(() => ue.hangup());
  await inState(other, "Terminated");

  const { pid } = rtpengine;
  process.kill(pid, "SIGSTOP");
  t.after(() => process.kill(pid, "SIGCONT"));
  const began = performance.now();
  await tab.evaluate((uri) => ue.call(uri), `sip:${PHONE}@${core.domain}`);
  await tab.waitForFunction(() => ue.log().includes("rejected 488"), undefined, { timeout: 10_000 });
  t.diagnostic(`refused after ${Math.round(performance.now() - began)} ms`);
  await alarm(true);
  process.kill(pid, "SIGCONT");
  await alarm(false);
  await ring(tab, phone);
  await tab.evaluate(() => ue.cancel());
  await rtpengine.untilSessions(0);
});

test("always: media of two browsers pass a session at either end, as RTP between them, and both hear each other", {
  skip,
}, async (t) => {
  const always = await startCore(t, { args: ["--media-gateway", "always"] });
  const gateway = new RtpengineOfLab(always);
  const [page, browser] = [await servePage(t), await launchBrowser(t)];
  const server = `ws://${always.host}:${always.sip.wsPort}`;
  const alice = await openUe(browser, page, always, { server, user: BROWSER });
  const bob = await openUe(browser, page, always, { server, user: OTHER_BROWSER });
  await alice.evaluate((uri) => ue.call(uri), `sip:${OTHER_BROWSER}@${always.domain}`);
  for (const tab of [alice, bob]) await inState(tab, "Established");
  assert.equal((await gateway.sessions()).length, 2);
  await speak();
  for (const tab of [alice, bob]) {
    const { packets, energy } = await tab.evaluate(() => ue.heard());
    assert.ok(packets > 50, `${packets} packets`);
    assert.ok(energy > 0.0001, `energy ${energy}`);
  }
  await bob.evaluate(() => ue.hangup());
  await inState(alice, "Terminated");
  await gateway.untilSessions(0);
});

/** Waits until bono's list of alarms has that of the media gateway, or has it no more. */
async function alarm(raised: boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await fetch(`http://${core.host}:9101/alarms`);
    const { active } = (await answer.json()) as { active: readonly { specificProblem: string }[] };
    const names = active.map(({ specificProblem }) => specificProblem);
    if (names.includes("media-gateway-away") === raised) return;
    assert.ok(Date.now() < deadline, `alarm ${raised ? "not raised" : "not cleared"}: ${names.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

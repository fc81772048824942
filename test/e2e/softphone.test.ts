import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BrowserContext } from "playwright-core";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SoftphonePage, watchMedia } from "../support/softphone.ts";

const noCoturn =
  spawnSync("turnutils_uclient", ["-h"]).error === undefined
    ? false
    : "coturn is not installed (scripts/install-test-tools)";

/** Phones answer the first challenge that they know. */
const SHA_256 = "sprout.digest-algorithms=SHA-256,MD5";

describe("softphone: a UE in a page over WebSocket (RFC 7118)", { skip: noBrowser || noCoturn }, () => {
  let core: CoreUnderTest;
  let browser: BrowserContext;
  let [alice, bob, carol]: SoftphonePage[] = [];
  const ends: (() => Promise<void>)[] = [];

  before(async () => {
    core = await launchCore({
      args: ["--ellis", "--turn", "--separate", "--no-examples", "--set", SHA_256],
    });
    browser = await launchBrowser({ after: (end: () => Promise<void>) => void ends.push(end) });
    await watchMedia(browser);
  });
  after(async () => {
    for (const end of ends) await end();
    await core?.stop();
  });

  const url = (path: string): string => `http://${core.host}:8080${path}`;
  const phones = (): SoftphonePage[] => [alice, bob, carol].filter((one) => one !== undefined);
  const [a, b, c] = [() => one(alice), () => one(bob), () => one(carol)];

  function one(phone: SoftphonePage | undefined): SoftphonePage {
    return phone ?? assert.fail("an earlier test has not opened this phone");
  }

  /** Another number of the account, and its phone in a page of its own. */
  async function anotherPhone(): Promise<SoftphonePage> {
    const answer = await browser.request.post(url("/accounts/alice@example.com/numbers"), {
      headers: { "content-type": "application/json" },
      data: "{}",
    });
    assert.equal(answer.status(), 200, await answer.text());
    const given = (await answer.json()) as Record<"sip_uri" | "number" | "sip_password", string>;
    const phone = new SoftphonePage(await browser.newPage(), given.number);
    await phone.page.goto(url(`/phone?number=${encodeURIComponent(given.sip_uri)}`));
    await phone.signOn(given.sip_password);
    await phone.registered();
    return phone;
  }

  test("who signs up and gets a number opens the phone beside it, which has its password already; a wrong one is said to be wrong", async () => {
    const page = await browser.newPage();
    await page.goto(url("/phone"));
    await page.locator("#log-in", { hasText: "Log in first" }).waitFor();
    await page.goto(url("/"));
    const signup = page.locator("#signup");
    const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
    for (const [name, value] of Object.entries({
      ...{ full_name: "<b>Alice</b>", email: "alice@example.com", password: "a long secret" },
      signup_code: code,
    }))
      await signup.locator(`[name=${name}]`).fill(value);
    await signup.locator("button").click();
    await page.locator("#allocate").click();
    const number = ((await page.locator("#list .private-id").textContent()) ?? "").split("@")[0] ?? "";
    const password = (await page.locator("#list dd.password").textContent()) ?? "";
    await page.locator("#list a.phone").click();
    alice = new SoftphonePage(page, number);
    await page.locator("#sign-on").waitFor();
    assert.equal(await page.locator("#credentials [name=password]").inputValue(), password);

    await alice.signOn("not it");
    await alice.sees("#wrong", "The password is wrong.");
    await alice.signOn(password);
    await alice.registered();
    const registers = alice.sent.filter((message) => message.startsWith("REGISTER"));
    assert.match(registers.at(-1) ?? "", /Authorization: Digest .*algorithm=SHA-256/);
    assert.ok(!alice.sent.some((message) => message.includes(password)));
    [bob, carol] = [await anotherPhone(), await anotherPhone()];
  });

  test("a call rings, is answered with the keyboard, is heard on both sides, held, shown as held, resumed, and ends", async () => {
    await a().dial(b().number);
    await a().state(b().number, "It rings there");
    await b().answer();
    for (const [phone, other] of [
      [a(), b()],
      [b(), a()],
    ] as const) {
      await phone.state(other.number, "Talking");
      await phone.hears("energy", 0.001);
      assert.equal((await phone.relays()).length, 2, "TURN servers");
    }
    assert.match((await a().call(b().number).locator(".timer").textContent()) ?? "", /^00:\d\d$/);

    await b().press(a().number, "Hold");
    await a().state(b().number, "They hold you");
    await a().press(b().number, "Hold");
    await a().state(b().number, "Held by both");
    await b().press(a().number, "Resume");
    await b().state(a().number, "They hold you");
    await a().press(b().number, "Resume");
    for (const phone of [a(), b()]) await phone.hears("energy", 0.001);

    await b().press(a().number, "Hang up");
    for (const phone of [a(), b()]) await phone.calls(0);
    await a().sees("#said", "They have hung up.");
  });

  test("RFC 4733: a key that is pressed is heard as its tone on the other side", async () => {
    await a().dial(b().number);
    // Who is impatient answers twice.
    await b().page.locator("#incoming[open]").waitFor();
    await b()
      .page.locator("#answer")
      .evaluate((button: { click(): void }) => [button.click(), button.click()]);
    await a().state(b().number, "Talking");
    await a().press(b().number, "Mute");
    await a().press(b().number, "Keys");
    const heard = b().listenFor([770, 1336]);
    const pressed = a().until("tones heard", async () => {
      await a().tap(a().call(b().number).locator(".tones").getByRole("button", { name: "5", exact: true }));
      await a().page.waitForTimeout(300);
      return Promise.race([heard, false]);
    });
    assert.equal(await heard, true);
    await pressed;
    await a().press(b().number, "Hang up");
    await b().calls(0);
  });

  test("a video call shows pictures on both sides; the camera is turned off and on", async () => {
    await b().dial(a().number, "Video call");
    await a().page.locator("#incoming-more", { hasText: "With video." }).waitFor();
    await a().tap("#answer-video");
    for (const phone of [a(), b()]) await phone.hears("frames", 5);
    await a().press(b().number, "Camera");
    await b().until("no pictures", async () => {
      const { frames } = await b().heard();
      await b().page.waitForTimeout(200);
      return (await b().heard()).frames === frames;
    });
    await a().press(b().number, "Camera");
    await b().hears("frames", 5);
    await b().press(a().number, "Hang up");
    await a().calls(0);
  });

  test("RFC 3428: messages arrive and are answered, as text whatever they say", async () => {
    const text = '<img src=x onerror="alert(1)"> grüße 😀';
    await a().tap("#tab-messages");
    await a().page.locator("#compose [name=to]").fill(b().number);
    await a().page.locator("#compose [name=text]").fill(text);
    await a().page.keyboard.press("Enter");
    await a().sees("#texts .ours", "Delivered");
    await b().sees("#tab-messages .count", "1");
    await b().tap("#tab-messages");
    await b().tap(b().page.locator("#conversations button", { hasText: a().number }));
    await b().sees("#texts .theirs", text);
    await b().page.locator("#compose [name=text]").fill("yes");
    await b().page.keyboard.press("Enter");
    await a().sees("#texts .theirs", "yes");
    await a().page.locator("#compose [name=to]").fill("0000000000");
    await a().page.locator("#compose [name=text]").fill("is anybody there");
    await a().page.keyboard.press("Enter");
    await a().sees("#texts .ours", "Not delivered: There is no such number.");
  });

  test("RFC 5589 §6: who is sent on to a third one is asked first, and talks there", async () => {
    await a().dial(b().number);
    await b().answer();
    await b().state(a().number, "Talking");
    await b().press(a().number, "Transfer");
    await b().call(a().number).locator(".transfer [name=target]").fill(c().number);
    await b().press(a().number, "Transfer now");
    await a().sees("#question-text", `${b().number} wants to connect you with ${c().number}`);
    await a().tap("#yes");
    await c().answer();
    await b().calls(0);
    await a().calls(1);
    for (const [phone, other] of [
      [a(), c()],
      [c(), a()],
    ] as const) {
      await phone.state(other.number, "Talking");
      await phone.hears("energy", 0.001);
    }
  });

  test("a call that comes into a call waits, is answered, swapped; RFC 5589 §7, RFC 3891: the two others are connected", async () => {
    // Carol talks with Alice since the test before.
    await b().dial(c().number);
    await c().page.locator("#incoming[open]").waitFor();
    await c().sees("#incoming-more", "the call you are in is held");
    await c().page.keyboard.press("Escape");
    await c().page.locator("#incoming:not([open])").waitFor({ state: "attached" });
    await c().press(b().number, "Answer");
    await c().state(b().number, "Talking");
    await c().state(a().number, "Held");
    await a().state(c().number, "They hold you");
    await c().press(a().number, "Resume");
    await c().state(b().number, "Held");
    await a().hears("energy", 0.001);

    await c().press(a().number, "Transfer");
    await c().press(a().number, `Connect with ${b().number}`);
    await a().sees("#question-text", `wants to connect you with ${b().number}`);
    await a().tap("#yes");
    await c().calls(0);
    for (const [phone, other] of [
      [a(), b()],
      [b(), a()],
    ] as const) {
      await phone.calls(1);
      await phone.state(other.number, "Talking");
      await phone.hears("energy", 0.001);
    }
    await a().press(b().number, "Hang up");
    await b().calls(0);
  });

  test("calls that were missed are counted and can be made again; who does not take a call, and numbers there are not, are told in words", async () => {
    await a().dial(b().number);
    await b().page.locator("#incoming[open]").waitFor();
    await a().press(b().number, "Hang up");
    await b().sees("#tab-history .count", "1");
    await b().tap("#tab-history");
    await b().sees("#past .missed", `Missed ${a().number}`);
    await b()
      .page.locator("#past")
      .getByRole("button", { name: `Call ${a().number}` })
      .first()
      .click();
    await a().tap("#reject");
    await b().sees("#said", "They are busy.");
    await b().dial("0000000000");
    await b().sees("#said", "There is no such number.");
  });

  test("nothing of the page is wider than 320 pixels", async () => {
    await c().page.setViewportSize({ width: 320, height: 640 });
    for (const tab of ["keypad", "messages", "history", "settings"]) {
      await c().tap(`#tab-${tab}`);
      const width = await c().page.evaluate("document.documentElement.scrollWidth");
      assert.ok(Number(width) <= 320, `${tab}: ${width} pixels`);
    }
  });

  test("a P-CSCF that is killed is found again, and calls go on; a page that is closed is deregistered", async () => {
    await a().dial(b().number);
    await b().answer();
    await a().state(b().number, "Talking");
    const bono = core.nodes.find(({ name }) => name === "bono")?.pid ?? assert.fail("no bono");
    const registers = (phone: SoftphonePage): number =>
      phone.sent.filter((message) => message.startsWith("REGISTER")).length;
    const before = phones().map(registers);
    process.kill(bono, "SIGKILL");
    for (const [at, phone] of phones().entries()) {
      await phone.until("another REGISTER", async () => registers(phone) > (before[at] ?? 0));
      await phone.registered(60_000);
    }
    for (const phone of [a(), b()]) await phone.hears("energy", 0.001);
    await a().press(b().number, "Hang up");
    await b().calls(0);
    await c().dial(b().number);
    await b().answer();
    await c().state(b().number, "Talking");

    // The page goes: its call ends, and nobody is there any more.
    await b().page.goto("about:blank");
    await c().calls(0);
    await c().dial(b().number);
    await c().sees("#said", "They cannot be reached now.");
  });

  test("no page has had an exception, or was kept from loading something", () => {
    assert.deepEqual(
      phones().flatMap(({ faults }) => faults),
      [],
    );
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { launchPeople, noBrowser } from "../support/browser.ts";
import { startCore } from "../support/core-under-test.ts";
import { PortalUnderTest } from "../support/portal.ts";
import { type SoftphonePage, watchMedia } from "../support/softphone.ts";

/** Audio energy (W3C webrtc-stats, totalAudioEnergy) that a page has received within a second. */
async function heardInASecond({ phone }: { readonly phone: SoftphonePage }): Promise<number> {
  const { energy } = await phone.heard();
  await phone.page.waitForTimeout(1_000);
  return (await phone.heard()).energy - energy;
}

const SOUND = 0.001;
const SILENCE = 0.000_01;

test("two people sign up, get numbers, open the phone and call each other: both are heard, and staff see the ladder grow from registration to hang-up", {
  skip: noBrowser,
  timeout: 600_000,
}, async (t) => {
  const core = await startCore(t, { args: ["--ellis", "--no-examples"] });
  const portal = new PortalUnderTest(core);
  const somebody = await launchPeople(t);
  const faults: string[] = [];
  const newcomer = async (name: string): Promise<{ page: Page; number: string; impu: string }> => {
    const context = await somebody();
    await watchMedia(context);
    const page = await context.newPage();
    return { page, ...(await portal.signUp(page, name)) };
  };
  const [one, other] = [await newcomer("Alice"), await newcomer("Bob")];
  assert.notEqual(one.number, other.number);

  // Staff look at a number that has done nothing yet, and touch the page no more.
  const staff = await (await somebody()).newPage();
  staff.setDefaultTimeout(60_000);
  staff.on("pageerror", (error) => faults.push(String(error)));
  await portal.logInAsStaff(staff, "ann@example.com", "viewer");
  await portal.followLadders(staff, one.number);
  await staff.locator("[role=status]", { hasText: "Nothing is known of this name yet" }).waitFor();
  await staff.evaluate("globalThis.sameDocument = true");
  const exchange = (method: string) =>
    staff.locator(".exchange", { has: staff.locator("h2", { hasText: `${method} ` }) });
  const step = (method: string, text: string | RegExp) =>
    exchange(method).locator("ol.rungs > li", { hasText: text });
  const steps = (method: string): Promise<number> => exchange(method).locator("ol.rungs > li").count();

  const register = async ({ page, number }: typeof one): Promise<SoftphonePage> => {
    const phone = await portal.openPhone(page, number);
    await phone.tap("#credentials [type=submit]");
    await phone.registered();
    return phone;
  };
  const alice = { ...one, phone: await register(one) };
  await exchange("REGISTER").locator("h2", { hasText: "200 OK" }).waitFor();
  await step("REGISTER", "MAR").first().waitFor();
  const bob = { ...other, phone: await register(other) };

  await alice.phone.dial(bob.number);
  await alice.phone.state(bob.number, "It rings there");
  await step("INVITE", "180 Ringing").last().waitFor();
  const ringing = await steps("INVITE");
  assert.equal(await step("INVITE", "200 OK (INVITE)").count(), 0, "it rings, nobody has answered");
  await bob.phone.answer();
  for (const [here, there] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    await here.phone.state(there.number, "Talking");
    await here.phone.hears("energy", SOUND);
  }
  t.diagnostic(
    `audio energy heard within a second: Alice ${(await heardInASecond(alice)).toFixed(4)}, Bob ${(await heardInASecond(bob)).toFixed(4)}`,
  );
  await step("INVITE", "200 OK (INVITE)").last().waitFor();
  await step("INVITE", "ACK").last().waitFor();
  const talking = await steps("INVITE");
  assert.ok(talking > ringing, `${ringing} steps, ${talking} steps`);
  assert.equal(await step("INVITE", "BYE").count(), 0, "they talk");

  // What each hears is the other: a microphone that is off is silent there, and only there.
  await alice.phone.press(bob.number, "Mute");
  await bob.phone.until("silence", async () => (await heardInASecond(bob)) < SILENCE);
  assert.ok((await heardInASecond(alice)) > SILENCE, "Bob is heard");
  await alice.phone.press(bob.number, "Mute");
  await bob.phone.hears("energy", SOUND);

  await bob.phone.press(alice.number, "Hang up");
  for (const { phone } of [alice, bob]) await phone.calls(0);
  await step("INVITE", "200 OK (BYE)").last().waitFor();
  assert.ok((await steps("INVITE")) > talking);
  await exchange("INVITE").locator("svg[role=img] text.name").first().waitFor();
  assert.equal(await staff.evaluate("globalThis.sameDocument"), true, "without a reload");
  t.diagnostic(
    `steps of the call on the page of staff: ${ringing} when it rang, ${talking} when they talked, ${await steps("INVITE")} in the end`,
  );
  assert.deepEqual([...faults, ...alice.phone.faults, ...bob.phone.faults], []);
});

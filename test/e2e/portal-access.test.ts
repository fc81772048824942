import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Problem } from "@ims/runtime";
import type { BrowserContext, Page } from "playwright-core";
import {
  type EllisUnderTest,
  PASSWORD,
  startEllis,
} from "../../nodes/ellis/test/support/ellis-under-test.ts";
import { fakeListener, fakeNode } from "../../nodes/ellis/test/support/fake-core.ts";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import {
  backgroundOf,
  focusedOf,
  nameless,
  probePages,
  tabTo,
  unreachable,
  weakContrasts,
} from "../support/page-access/page-access.ts";

const ADMIN = "ann@example.com";
const ALICE = "sip:alice@example.com";
const SECTIONS = ["Subscribers", "Live", "Ladders", "Doctor", "Pools", "Alarms", "Audit", "Staff"];

/** Every kind of page, with something on it: what went wrong, and what is away, too. */
const PAGES = [
  ...["subscribers", "subscribers/new", "subscribers/import", "subscribers/bob@example.com", "live"],
  ...["ladders", "ladders/c1/3", "doctor", "doctor/c1", "pools", "alarms", "audit", "staff"],
];

/** A portal whose core has a call that failed, alarms, a node that is not ready and one that is away. */
async function start(
  t: TestContext,
): Promise<{ ellis: EllisUnderTest; browser: BrowserContext; page: Page }> {
  const [bono, sprout] = [await fakeNode(t, "bono"), await fakeNode(t, "sprout-1")];
  const away = await fakeListener(t, "sprout-2", (_, response) => response.writeHead(500).end());
  const ellis = await startEllis(t, { coreNodes: [bono.named, sprout.named, away], corePatienceMs: 10_000 });
  const call = { callId: "c1", icid: "i1", method: "INVITE", identities: [ALICE] };
  const glance = { callId: "c1", method: "INVITE", inDialog: false, from: ALICE, to: "sip:bob@example.com" };
  bono.step({
    ...{ ...call, title: "INVITE sip:bob@example.com", request: true, text: "INVITE sip:bob@example.com" },
    ...{ fields: { from: ALICE, to: "sip:bob@example.com" }, glance: { ...glance, request: true } },
  });
  bono.step({
    ...{ ...call, title: "486 Busy Here (INVITE)", request: false, status: 486 },
    glance: { ...glance, request: false, status: 486, reason: "Busy Here" },
  });
  sprout.step({ ...call, kind: "decision", title: "nobody answers" });
  sprout.health.addCheck("hss", () => "no peer");
  const problem: Problem = {
    ...{ id: "TW-1", name: "test", kind: "alarm", type: "COMMUNICATIONS_ALARM", summary: "away" },
    ...{ probableCause: "communicationsSubsystemFailure", severity: "MINOR" },
    ...{ cause: "the cause", effect: "the effect", action: "the action" },
  };
  bono.health.alarms.raise(problem, { object: "peer", text: "no answer", severity: "CRITICAL" });
  bono.health.alarms.raise(problem, { object: "other", text: "late" });
  const key = { key: ellis.key };
  await ellis.staff("administrator", ADMIN);
  for (const name of ["bob", "carol"])
    await ellis.ask("POST", "/staff/subscribers", {
      ...key,
      json: {
        ...{ impi: `${name}@example.com`, credentials: { password: "secret" } },
        publicIdentities: [{ impu: `sip:${name}@example.com` }],
      },
    });
  const browser = await launchBrowser(t);
  await probePages(browser);
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on("dialog", (dialog) => void dialog.accept());
  return { ellis, browser, page };
}

async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/staff`);
  await page.getByLabel("E-mail").fill(ADMIN);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Subscribers", level: 1 }).waitFor();
}

/** Opens a page of the portal and waits until it has something to show. */
async function open(page: Page, url: string, hash: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`${url}/staff#${hash}`);
  await page.locator("#content h1").waitFor();
  const shown: Readonly<Record<string, string>> = {
    ...{ subscribers: "td", "subscribers/bob@example.com": "td", live: ".registrations li" },
    ...{ ladders: "tr[data-state=failed]", "ladders/c1/3": ".rungs .failed", "doctor/c1": ".exchange" },
    ...{ pools: "tr[data-state=unreachable]", alarms: ".alarms li", audit: "td", staff: "td" },
  };
  await page
    .locator(`#content ${shown[hash] ?? "input"}`)
    .first()
    .waitFor()
    .catch(async () => assert.fail(`${hash}: ${await page.locator("body").ariaSnapshot()}`));
  if (hash === "alarms") await page.locator(".alarms summary").first().click();
  for (const details of hash.startsWith("subscribers/bob") ? await page.locator("summary").all() : [])
    await details.click();
  // What they open is fetched first; it would push away what has the focus by then.
  for (const form of hash.startsWith("subscribers/bob") ? await page.locator("details form").all() : [])
    await form.waitFor();
}

test("staff work with the keyboard alone: log in, go anywhere, add and delete a subscriber, open a message, log out", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, page } = await start(t);
  const focusedHeading = async (name: string): Promise<void> => {
    await page.locator("#content h1:focus", { hasText: name }).waitFor();
  };
  await page.goto(`${ellis.url}/staff`);
  await page.locator("#login-form").waitFor();
  await tabTo(page, /E-mail/);
  await page.keyboard.type(ADMIN);
  await tabTo(page, /Password/);
  await page.keyboard.type("not it");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "Incorrect username or password" }).waitFor();
  await tabTo(page, /Password/, "Shift+Tab").catch(() => tabTo(page, /Password/));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await focusedHeading("Subscribers");

  // Past the navigation, wherever one is.
  await tabTo(page, /^a "Pools"/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await focusedHeading("Pools");
  await tabTo(page, /To the content/, "Shift+Tab");
  assert.equal((await focusedOf(page))?.isOnScreen, true);
  await page.keyboard.press("Enter");
  await focusedHeading("Pools");
  for (const name of SECTIONS) {
    await tabTo(page, new RegExp(`^a "${name}"`), "Shift+Tab");
    await page.keyboard.press("Enter");
    await focusedHeading(name);
  }

  await tabTo(page, /^a "Subscribers"/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await focusedHeading("Subscribers");
  await tabTo(page, /Add a subscriber/);
  await page.keyboard.press("Enter");
  await page.locator("[name=impi]:focus").waitFor();
  await page.keyboard.type("dora@example.com");
  await tabTo(page, /Proves itself by/);
  await page.keyboard.type("a password");
  await tabTo(page, /^button "Add"/);
  await page.keyboard.press("Enter");
  // What is wrong has the focus, and is told with it.
  const wrong = page.locator("#content [name=password][aria-invalid=true]:focus");
  const described = (await wrong.getAttribute("aria-describedby")) ?? "";
  assert.match((await page.locator(`#${described.split(" ")[0]}`).textContent()) ?? "", /is missing/);
  await page.keyboard.type("a good secret");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "dora@example.com is added." }).waitFor();
  await tabTo(page, /Delete the subscriber/);
  await page.keyboard.press("Space");
  await page.getByRole("status").filter({ hasText: "dora@example.com is deleted." }).waitFor();

  await tabTo(page, /^a "Ladders"/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await focusedHeading("Ladders");
  await tabTo(page, /Identity, IMSI/);
  await page.keyboard.type("c1");
  await page.keyboard.press("Enter");
  await page.locator(".rungs .failed").first().waitFor();
  await tabTo(page, /^summary ".*INVITE sip:bob/);
  await page.keyboard.press("Enter");
  await page.locator(".rungs pre", { hasText: "INVITE sip:bob@example.com" }).waitFor();

  await tabTo(page, /Log out/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.locator("#login-form [name=email]:focus").waitFor();
});

test("WCAG 2.2 2.1.1, 2.4.7, 4.1.2: on every page of staff Tab leads to all that can be used, shows where it is, and each has a name", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, browser, page } = await start(t);
  await page.goto(`${ellis.url}/staff`);
  await page.locator("#login-form").waitFor();
  const faults = [...(await unreachable(page, "login")), ...(await nameless(browser, page, "login"))];
  await logIn(page, ellis.url);
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const hash of PAGES) {
      await open(page, ellis.url, hash);
      faults.push(...(await unreachable(page, `${hash} ${scheme}`)));
      if (scheme === "light") faults.push(...(await nameless(browser, page, hash)));
    }
  }
  assert.deepEqual(faults, []);
});

test("WCAG 2.2 1.4.3, 1.4.11: on every page of staff texts, fields and buttons can be told from what they stand on, in the light and in the dark", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, page } = await start(t);
  const weak: string[] = [];
  for (const [scheme, isScheme] of [
    ["light", (luminance: number) => luminance > 0.8],
    ["dark", (luminance: number) => luminance < 0.1],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.context().clearCookies();
    await page.goto(`${ellis.url}/staff`);
    await page.getByLabel("E-mail").fill(ADMIN);
    await page.getByLabel("Password").fill("a guess");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "Incorrect" }).waitFor();
    const luminance = await backgroundOf(page);
    assert.ok(isScheme(luminance), `${scheme}: ${luminance}`);
    weak.push(...(await weakContrasts(page, `login ${scheme}`)));
    await logIn(page, ellis.url);
    for (const hash of PAGES) {
      await open(page, ellis.url, hash);
      if (hash === "subscribers/new") {
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.locator("[name=impi]").fill("x@example.com");
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.locator("[aria-invalid=true]").first().waitFor();
      }
      if (hash === "subscribers/import") {
        const buffer = Buffer.from("impi,password\nnobody,x\n");
        await page.getByLabel("CSV file").setInputFiles({ name: "s.csv", mimeType: "text/csv", buffer });
        await page.getByRole("button", { name: "Check it, change nothing" }).click();
        await page.locator("#content td").first().waitFor();
      }
      weak.push(...(await weakContrasts(page, `${hash} ${scheme}`)));
    }
  }
  assert.deepEqual(weak, []);
});

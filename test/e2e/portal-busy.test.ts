import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BrowserContext, Page, Route } from "playwright-core";
import { makeBusy } from "../../nodes/ellis/test/support/busy-ellis.ts";
import { type EllisUnderTest, startEllis } from "../../nodes/ellis/test/support/ellis-under-test.ts";
import { launchBrowser, noBrowser } from "../support/browser.ts";

/** Longer than any page waits before it asks again. */
const WITHIN_MS = 60_000;

/** Pages, what each asks first, and what is seen when it has that; Alice is logged in, and not of the staff. */
const PAGES = [
  ["/", "**/session", "#numbers #allocate"],
  ["/phone", "**/session", "#sign-on #credentials"],
  ["/phone", "**/phone/configuration", "#sign-on #credentials"],
  ["/phone", "**/accounts/*/numbers", "#sign-on #credentials"],
  ["/staff", "**/staff/session", "#login #login-form"],
] as const;

async function start(
  t: TestContext,
): Promise<{ ellis: EllisUnderTest; browser: BrowserContext; page: Page; faults: string[] }> {
  const ellis = await startEllis(t, { phoneServers: ["ws://127.0.0.1:9"], httpOverloadFloor: 1 });
  const [name = "", value = ""] = (await ellis.signUp("alice@example.com")).split("=");
  const browser = await launchBrowser(t);
  await browser.addCookies([{ name, value, url: ellis.url }]);
  const page = await browser.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (line) => {
    if (/Content Security Policy/.test(line.text())) faults.push(line.text());
  });
  return { ellis, browser, page, faults };
}

/** Refuses the first requests, and counts all. */
function refusing(times: number, retryAfter: string) {
  const state = { count: 0 };
  const handle = (route: Route): Promise<void> =>
    ++state.count > times
      ? route.fallback()
      : route.fulfill({ status: 503, headers: { "retry-after": retryAfter }, body: "{}" });
  return { state, handle };
}

/** Texts that a region of the page has had since it was opened. */
async function heardIn(page: Page, region: string): Promise<readonly string[]> {
  return page.evaluate((id) => {
    const { heard } = globalThis as unknown as { heard: Record<string, string[]> };
    return heard[id] ?? [];
  }, region);
}

/** Keeps what live regions say, as who does not see them would hear it. */
async function listen(browser: BrowserContext): Promise<void> {
  await browser.addInitScript(`
    globalThis.heard = { busy: [], failure: [] };
    const listen = () => {
      for (const id of Object.keys(heard))
        new MutationObserver(() => {
          const { textContent } = document.getElementById(id);
          if (textContent !== "") heard[id].push(textContent);
        }).observe(document.getElementById(id), { childList: true });
    };
    // Before scripts of the page run, after what they write into is there.
    document.addEventListener("readystatechange", listen, { once: true });
  `);
}

test("RFC 9110 §10.2.3: a page whose first questions get 503 says that the server is busy, asks again when the server wants, and is there then", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, browser, page, faults } = await start(t);
  await listen(browser);
  for (const [path, asked, seen] of PAGES) {
    const { state, handle } = refusing(2, "1");
    await page.route(asked, handle);
    const began = performance.now();
    await page.goto(`${ellis.url}${path}`);
    await page.locator(seen).waitFor();
    assert.ok(performance.now() - began >= 2_000, `${path}: not before the server wants`);
    assert.ok(state.count >= 3, `${path}: ${state.count} requests to ${asked}`);
    const said = await heardIn(page, "busy");
    assert.deepEqual(new Set(said), new Set(["The server is busy. The page asks again in 1 second."]), path);
    assert.equal(await page.locator("#busy").textContent(), "");
    assert.equal(await page.locator("#loading").isVisible(), false);
    await page.unroute(asked);
  }
  assert.deepEqual(faults, []);
});

test("a page that gets no answer says so and asks again", { skip: noBrowser }, async (t) => {
  const { ellis, browser, page } = await start(t);
  await listen(browser);
  let count = 0;
  await page.route("**/session", (route) => (++count > 2 ? route.fallback() : route.abort()));
  await page.goto(`${ellis.url}/phone`);
  await page.locator("#sign-on #credentials").waitFor();
  const said = await heardIn(page, "busy");
  assert.deepEqual(new Set(said), new Set(["The server does not answer. The page asks again in 1 second."]));
});

test("a page whose scripts or style are refused comes whole in the end", { skip: noBrowser }, async (t) => {
  const { ellis, page, faults } = await start(t);
  for (const [path, file, seen] of [
    ["/", "numbers.js", "#numbers #allocate"],
    ["/phone", "phone/call/calls.js", "#sign-on #credentials"],
    ["/phone", "phone/phone.js", "#sign-on #credentials"],
    ["/staff", "staff/sections.js", "#login #login-form"],
  ] as const) {
    const { state, handle } = refusing(2, "1");
    await page.route(`**/pages/${file}`, handle);
    await page.goto(`${ellis.url}${path}`);
    await page.locator(seen).waitFor();
    assert.ok(state.count >= 3, `${file}: ${state.count} requests`);
    await page.unroute(`**/pages/${file}`);
  }
  const { handle } = refusing(2, "1");
  await page.route("**/phone.css", handle);
  await page.goto(`${ellis.url}/phone`);
  // The policy of the page lets no waitForFunction in.
  const isPlain = (): Promise<unknown> =>
    page.evaluate("getComputedStyle(document.body).maxWidth === 'none'");
  for (const until = performance.now() + WITHIN_MS; await isPlain(); await page.waitForTimeout(50))
    assert.ok(performance.now() < until, "it has no style");
  assert.deepEqual(faults, []);
});

test("what lasts is said, with a way to try again: answers, scripts, and all of them", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, browser, page } = await start(t);
  await listen(browser);
  // Nobody waits an hour in front of a page.
  const { handle } = refusing(Number.POSITIVE_INFINITY, "3600");
  for (const [path, asked, seen] of PAGES) {
    await page.route(asked, handle);
    await page.goto(`${ellis.url}${path}`);
    await page.getByRole("alert").filter({ hasText: "The page could not be loaded." }).waitFor();
    assert.equal(await page.locator("#loading").isVisible(), false);
    await page.unroute(asked);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(seen).waitFor();
    assert.equal(await page.locator("#failed").isVisible(), false);
  }

  await page.route("**/pages/phone/call/calls.js", handle);
  await page.route("**/phone", (route) =>
    route.request().resourceType() === "fetch" ? handle(route) : route.fallback(),
  );
  await page.goto(`${ellis.url}/phone`);
  await page.getByRole("alert").filter({ hasText: "The page could not be loaded." }).waitFor();
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("#sign-on #credentials").waitFor();

  // Not even what would tell: the page itself does.
  await page.route("**/pages/**", handle);
  await page.goto(`${ellis.url}/phone`);
  await page.getByRole("link", { name: "load it again" }).waitFor();
  await page.unrouteAll();
  await page.getByRole("link", { name: "load it again" }).click();
  await page.locator("#sign-on #credentials").waitFor();
});

test("an ellis that refuses requests serves its pages whole; what they ask is refused, and answered when it can be", {
  skip: noBrowser,
}, async (t) => {
  const { ellis, page, faults } = await start(t);
  for (const [path, seen] of [
    ["/", "#numbers #allocate"],
    ["/phone", "#sign-on #credentials"],
    ["/staff", "#login #login-form"],
  ] as const) {
    const busy = await makeBusy(ellis);
    const waiting = ellis.clock.pending();
    const answers: string[] = [];
    const note = (response: { url(): string; status(): number }): void =>
      void answers.push(`${response.status()} ${new URL(response.url()).pathname}`);
    page.on("response", note);
    await page.goto(`${ellis.url}${path}`);
    // What the page asks first is held, then refused. Its icon, which there is not, may be asked for before.
    const told = page.locator("#busy", { hasText: "The server is busy. The page asks again in" });
    while ((await told.count()) === 0) {
      if (ellis.clock.pending() > waiting) busy.refuse();
      await page.waitForTimeout(20);
    }
    const refused = answers.filter((answer) => answer.startsWith("503"));
    assert.ok(refused.length > 0 && refused.every((answer) => !answer.includes("/pages/")), refused.join());
    assert.ok(answers.filter((answer) => /^200 .*\/pages\//.test(answer)).length >= 5, answers.join());
    busy.end();
    await page.locator(seen).waitFor();
    page.off("response", note);
  }
  assert.deepEqual(faults, []);
});

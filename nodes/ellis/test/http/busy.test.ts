import assert from "node:assert/strict";
import { test } from "node:test";
import { portalPages } from "../../src/http/page-routes.ts";
import { makeBusy } from "../support/busy-ellis.ts";
import { type Answer, type EllisUnderTest, startEllis } from "../support/ellis-under-test.ts";

/** Asks while nothing is taken, and lets the refusals out once all of them wait. */
async function refusals(
  { clock }: EllisUnderTest,
  refuse: () => void,
  ask: readonly (() => Promise<Answer>)[],
): Promise<readonly Answer[]> {
  const before = clock.pending();
  const answers = Promise.all(ask.map((one) => one()));
  while (clock.pending() < before + ask.length) await new Promise((resolve) => setTimeout(resolve, 5));
  refuse();
  return answers;
}

test("RFC 9110 §15.6.4: while ellis refuses requests its pages are served, with all they are made of", async (t) => {
  const ellis = await startEllis(t, { httpOverloadFloor: 1 });
  const { refuse, end } = await makeBusy(ellis);
  const files = [...portalPages().keys()].map((name) => `/pages/${name}`);
  const paths = ["/", "/staff", "/phone", ...files.filter((path) => !path.endsWith(".html"))];
  for (const path of paths) assert.equal((await ellis.ask("GET", path)).status, 200, path);
  const others = Array.from({ length: 20 }, () => () => ellis.ask("GET", "/ping"));
  for (const { status, headers } of await refusals(ellis, refuse, others)) {
    assert.equal(status, 503);
    assert.match(headers.get("retry-after") ?? "", /^[1-9]\d?$/);
  }
  end();
  assert.equal((await ellis.ask("GET", "/ping")).status, 200);
});

test("beyond the allowance of files a page is refused as a page, which comes again by itself", async (t) => {
  const ellis = await startEllis(t, { httpOverloadFloor: 1 });
  const { refuse } = await makeBusy(ellis);
  for (let left = 256; left > 0; left -= 64)
    for (const { status } of await Promise.all(
      Array.from({ length: 64 }, () => ellis.ask("GET", "/pages/portal.css")),
    ))
      assert.equal(status, 200);
  const accept = { headers: { accept: "text/html,*/*;q=0.8" } };
  const [page = assert.fail(), script = assert.fail()] = await refusals(ellis, refuse, [
    () => ellis.ask("GET", "/phone", accept),
    () => ellis.ask("GET", "/pages/api.js"),
  ]);
  assert.equal(page.status, 503);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("refresh"), page.headers.get("retry-after"));
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.match(page.text, /<p role="status">The page comes again in \d+ seconds/);
  assert.equal(script.status, 503);
  assert.match(script.headers.get("content-type") ?? "", /^application\/json/);
});

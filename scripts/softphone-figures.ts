import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { launchCore } from "../test/support/core-under-test.ts";

/** Makes docs/figures/softphone-*.png: sh scripts/node scripts/softphone-figures.ts (needs Chromium of Debian). */
const FIGURES = join(import.meta.dirname, "../docs/figures");
const WIDTH = 400;

const core = await launchCore({ args: ["--ellis", "--no-examples"] });
const profile = mkdtempSync(join(tmpdir(), "tidewater-figures-"));
try {
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    viewport: { width: WIDTH, height: 720 },
    args: [
      ...[
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
      ],
      ...["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"],
    ],
  });
  await draw(browser, `http://${core.host}:8080`);
  await browser.close();
} finally {
  rmSync(profile, { recursive: true, force: true });
  await core.stop();
}

async function draw(browser: BrowserContext, site: string): Promise<void> {
  const account = { email: "alice@example.com", password: "a long secret", full_name: "Alice" };
  const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
  const post = async (path: string, data: Readonly<Record<string, string>>) => {
    const headers = { "content-type": "application/json" };
    const answer = await browser.request.post(site + path, { headers, data: JSON.stringify(data) });
    return (await answer.json()) as Record<string, string>;
  };
  await post("/accounts", { ...account, signup_code: code });
  await post("/session", account);
  const open = async (): Promise<{ page: Page; number: string }> => {
    const given = await post(`/accounts/${account.email}/numbers`, {});
    const page = await browser.newPage();
    await page.goto(`${site}/phone?number=${encodeURIComponent(given["sip_uri"] ?? "")}`);
    await page.locator("#credentials [name=password]").fill(given["sip_password"] ?? "");
    await page.locator("#credentials [type=submit]").click();
    await page.locator("#registration.registered").waitFor();
    return { page, number: given["number"] ?? "" };
  };
  const [alice, bob] = [await open(), await open()];
  await alice.page.emulateMedia({ colorScheme: "light" });
  await alice.page.locator("#dial [name=target]").fill(bob.number);
  await save(alice.page, "softphone-light.png");

  await alice.page.emulateMedia({ colorScheme: "dark" });
  await alice.page.locator("#dial").getByRole("button", { name: "Video call" }).click();
  await bob.page.bringToFront();
  await bob.page.locator("#answer-video").click();
  await alice.page.bringToFront();
  await alice.page.locator(".call .remote").waitFor();
  await alice.page.locator("#tab-messages").click();
  await alice.page.locator("#compose [name=to]").fill(bob.number);
  await alice.page.locator("#compose [name=text]").fill("Can you see me?");
  await alice.page.keyboard.press("Enter");
  await alice.page.locator("#texts .ours", { hasText: "Delivered" }).waitFor();
  await alice.page.waitForFunction("document.querySelector('.call .remote').videoWidth > 0");
  await alice.page.waitForTimeout(1_000);
  await save(alice.page, "softphone-dark.png");
}

async function save(page: Page, name: string): Promise<void> {
  writeFileSync(join(FIGURES, name), await page.screenshot({ fullPage: true }));
}

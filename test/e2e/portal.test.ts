import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";

const run = promisify(execFile);
const TIDEWATER = join(import.meta.dirname, "../../nodes/tidewater/bin/tidewater.ts");
const HTML = "<img src=x onerror=alert(1)>";

let core: CoreUnderTest;
let url: string;
before(async () => {
  if (noBrowser !== false) return;
  core = await launchCore({ args: ["--no-examples", "--mmtel", "--ellis"] });
  url = `http://${core.host}:8080`;
});
after(() => core?.stop());

/** What the portal says last, once it says that. */
async function said(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole("status").filter({ hasText: text }).waitFor({ timeout: 60_000 });
}

async function addStaff(email: string, role: string): Promise<string> {
  const args = ["staff", "add", email, "--role", role, "--name", HTML, "--url", url, "--json"];
  const { stdout } = await run(process.execPath, [TIDEWATER, ...args, "--state-dir", core.stateDir]);
  return (JSON.parse(stdout) as { password: string }).password;
}

async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto(`${url}/staff`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Subscribers", level: 1 }).waitFor();
}

const csv = (text: string) => ({ name: "s.csv", mimeType: "text/csv", buffer: Buffer.from(text) });

test("an operator logs in, adds a subscriber with a SIM, imports a file after a dry run that found errors, and an administrator sees it all in the audit log", {
  skip: noBrowser,
}, async (t) => {
  const passwords = [
    await addStaff("op@example.com", "operator"),
    await addStaff("admin@example.com", "administrator"),
  ] as const;
  const browser = await launchBrowser(t);
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  page.on("dialog", (dialog) => void dialog.accept());
  await page.setViewportSize({ width: 320, height: 640 });
  await logIn(page, "op@example.com", passwords[0]);
  assert.equal(await page.getByRole("link", { name: "Audit" }).count(), 0);

  await page.getByRole("link", { name: "Add a subscriber" }).click();
  await page.getByLabel("Private identity").fill("alice@example.com");
  await page.getByLabel("K, the key of the SIM").fill("465b5ce8 b199b49f aa5f0a2e");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("K has 32 hexadecimal digits; these are 24").waitFor();
  await page.getByText("OPc is missing").waitFor();
  await page.getByLabel("K, the key of the SIM").fill("465b5ce8 b199b49f aa5f0a2e e238a6bc");
  await page.getByLabel("OPc or OP").fill("cd63cb71954a9f4e48a5994e37a02baf");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await said(page, "alice@example.com is added.");
  await page.getByRole("cell", { name: "sip:alice@example.com", exact: true }).waitFor();
  await page.getByText("present, never shown").waitFor();
  assert.doesNotMatch(await page.content(), /465b5ce8/);
  await page.getByRole("button", { name: "Reset SQN to 0" }).click();
  await said(page, "SQN is 0 again.");
  await page.getByRole("group").filter({ hasText: "sip:alice@example.com" }).locator("summary").click();
  await page.getByLabel("let no calls in (ICB)").check();
  await page.getByRole("button", { name: "Save" }).last().click();
  await said(page, "The settings of sip:alice@example.com are saved.");

  await page.goto(`${url}/staff#subscribers/import`);
  const head = "impi,impu,password\nbob@example.com,,secret\n";
  const file = page.getByLabel("CSV file");
  await file.setInputFiles(
    csv(`${head}${HTML},sip:c@example.com,secret\nd@example.com,sip:alice@example.com,x\n`),
  );
  await page.getByRole("button", { name: "Check it, change nothing" }).click();
  await said(page, "3 rows, 2 wrong; nothing was written.");
  const rows = await page.getByRole("row").allInnerTexts();
  assert.deepEqual(
    rows.slice(1).map((row) => row.split("\t").slice(0, 3)),
    [
      ["3", "impi", HTML],
      ["4", "impu", "d@example.com"],
    ],
  );
  assert.equal(await page.locator("img").count(), 0);
  await file.setInputFiles(csv(head));
  await page.getByRole("button", { name: "Check it, change nothing" }).click();
  await said(page, "1 rows, all good; nothing was written yet.");
  await page.getByRole("button", { name: "Import it now" }).click();
  await said(page, "1 subscribers added.");
  const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  assert.ok(Number(overflow) <= 0, `wider than the screen by ${overflow}`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in as staff" }).waitFor();

  await logIn(page, "admin@example.com", passwords[1]);
  await page.getByRole("link", { name: "Audit" }).click();
  await page.getByRole("cell", { name: "subscriber.import" }).first().waitFor();
  const actions = await page.getByRole("row").locator("td:nth-child(3)").allInnerTexts();
  assert.deepEqual(
    actions.filter((action) => action.startsWith("subscriber")),
    [
      ...["subscriber.import", "subscriber.import", "subscriber.import"],
      ...["subscriber.services", "subscriber.change", "subscriber.add"],
    ],
  );
  await page.getByRole("link", { name: "Staff" }).click();
  await page.getByRole("cell", { name: HTML, exact: true }).first().waitFor();
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(faults, []);
});

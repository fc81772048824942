import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { CoreUnderTest } from "./core-under-test.ts";
import { SoftphonePage } from "./softphone.ts";

/** The pages of ellis, as people use them. */
export class PortalUnderTest {
  readonly url: string;
  readonly #core: CoreUnderTest;

  constructor(core: CoreUnderTest) {
    this.#core = core;
    this.url = `http://${core.host}:8080`;
  }

  /** Makes an account with the sign-up code of the core, and gets a number; the page is left where its password is shown. */
  async signUp(page: Page, name: string): Promise<{ readonly number: string; readonly impu: string }> {
    await page.goto(`${this.url}/`);
    const code = readFileSync(join(this.#core.stateDir, "ellis-signup-code"), "utf8").trim();
    const email = `${name.toLowerCase()}@example.com`;
    const given = { full_name: name, email, password: "a long secret", signup_code: code };
    for (const [field, value] of Object.entries(given))
      await page.locator(`#signup [name=${field}]`).fill(value);
    await page.locator("#signup button").click();
    await page.locator("#allocate").click();
    await page.locator("#list dd.password").waitFor();
    const impu = (await page.locator("#list dd.uri").textContent()) ?? "";
    return { number: impu.replace(/^sip:|@.*/g, ""), impu };
  }

  /** Follows the link beside the number that was just got; the phone has its password already. */
  async openPhone(page: Page, number: string): Promise<SoftphonePage> {
    const phone = new SoftphonePage(page, number);
    await page.locator("#list a.phone").click();
    await page.locator("#sign-on").waitFor();
    return phone;
  }

  /** Makes somebody staff from the command line; logs in. */
  async logInAsStaff(
    page: Page,
    email: string,
    role: "viewer" | "operator" | "administrator",
  ): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#core.tidewater([
      ...["staff", "add", email, "--role", role, "--url", this.url, "--json"],
      ...["--state-dir", this.#core.stateDir],
    ]);
    assert.equal(exitCode, 0, stderr);
    const { password } = JSON.parse(stdout) as { readonly password: string };
    await page.goto(`${this.url}/staff`);
    await page.locator("#login-form [name=email]").fill(email);
    await page.locator("#login-form [name=password]").fill(password);
    await page.locator("#login-form button").click();
    await page.locator("#sections").waitFor();
  }

  /** Asks for the ladders of a name, by the form. */
  async followLadders(page: Page, key: string): Promise<void> {
    await page.locator("#sections a", { hasText: "Ladders" }).click();
    await page.locator("#content form [name=key]").fill(key);
    await page.locator("#content form button", { hasText: "Show" }).press("Enter");
  }
}

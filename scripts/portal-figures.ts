import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launchPeople } from "../test/support/browser.ts";
import { launchCore } from "../test/support/core-under-test.ts";
import { PortalUnderTest } from "../test/support/portal.ts";

/**
 * Makes docs/figures/portal-*.png: sh scripts/node scripts/portal-figures.ts (needs Chromium of Debian). Real pages of a core that is started for it;
 * numbers, times and Call-IDs are those of the day.
 */
const FIGURES = join(import.meta.dirname, "../docs/figures");
/** test/architecture/documents.test.ts refuses larger ones. */
const LARGEST = 150_000;
const WIDTH = 1120;

const core = await launchCore({ args: ["--ellis", "--mmtel", "--no-examples"] });
const ends: (() => Promise<void>)[] = [];
try {
  await draw();
} finally {
  for (const end of ends) await end();
  await core.stop();
}

async function draw(): Promise<void> {
  const portal = new PortalUnderTest(core);
  const somebody = await launchPeople({ after: (end) => void ends.push(end) });
  const visit = async (): Promise<Page> => {
    const settings = { viewport: { width: WIDTH, height: 700 }, timezoneId: "UTC", locale: "en-GB" };
    return (await somebody(settings)).newPage();
  };
  const [alicesPage, bobsPage, staff] = [await visit(), await visit(), await visit()];
  const alice = await portal.signUp(alicesPage, "Alice");
  await save(alicesPage, "portal-number", 660);
  const bob = await portal.signUp(bobsPage, "Bob");
  const [one, other] = [
    await portal.openPhone(alicesPage, alice.number),
    await portal.openPhone(bobsPage, bob.number),
  ];
  for (const phone of [one, other]) {
    await phone.tap("#credentials [type=submit]");
    await phone.registered();
  }
  await portal.logInAsStaff(staff, "ann@example.com", "operator");

  await one.dial(bob.number);
  await other.answer();
  await one.state(bob.number, "Talking");
  await portal.followLadders(staff, alice.number);
  const call = staff.locator(".exchange", { has: staff.locator("h2", { hasText: "INVITE " }) });
  await call.locator("ol.rungs > li", { hasText: "ACK" }).last().waitFor();
  await save(staff, "portal-ladder", 900);
  await staff.goto(`${portal.url}/staff#live`);
  await staff.locator("tr[data-state=in-progress]").first().waitFor();
  await staff.locator(".registrations li[data-state=registered]").first().waitFor();
  await save(staff, "portal-live", 760);
}

/** The upper part of a page, light and dark. */
async function save(page: Page, name: string, height: number): Promise<void> {
  await page.setViewportSize({ width: WIDTH, height });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const image = await page.screenshot({ animations: "disabled", caret: "hide" });
    if (image.length > LARGEST) throw new Error(`${name}-${colorScheme}.png has ${image.length} octets`);
    writeFileSync(join(FIGURES, `${name}-${colorScheme}.png`), image);
  }
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";

interface Focused {
  readonly name: string;
  /** Among what was there when the walk began; -1: it was not. */
  readonly index: number;
  readonly isOutlined: boolean;
  readonly contrast: number;
  readonly isOnScreen: boolean;
}

/** `pageAccess` of probe.js. */
declare const pageAccess: {
  weakContrasts(): { readonly weak: readonly string[]; readonly read: number };
  begin(): number;
  focused(): Focused | undefined;
  nameAt(index: number): string;
  background(): number;
};

/** Contrast of the mark of what has the focus: WCAG 2.2 1.4.11. */
const LEAST_CONTRAST = 3;
/** An element with parts, a date for one, takes several. */
const TABS_EACH = 10;
/** A second: a busy machine scrolls late. */
const SCROLLED_LOOKS = 20;

/** For all pages that are opened after it. */
export async function probePages(browser: BrowserContext): Promise<void> {
  await browser.addInitScript(readFileSync(join(import.meta.dirname, "probe.js"), "utf8"));
}

/** WCAG 2.2 1.4.3, 1.4.11: what of that which is shown cannot be told from what it stands on. */
export async function weakContrasts(page: Page, where: string): Promise<string[]> {
  const { weak, read } = await page.evaluate(() => pageAccess.weakContrasts());
  assert.ok(read > 5, `${where}: ${read} texts`);
  return weak.map((one) => `${where}: ${one}`);
}

/** Luminance of what the page is painted on, 0 to 1. */
export function backgroundOf(page: Page): Promise<number> {
  return page.evaluate(() => pageAccess.background());
}

/** WCAG 2.2 2.1.1, 2.1.2, 2.4.7: what Tab does not lead to although it can be used, and where it does not show that it is there. */
export async function unreachable(page: Page, where: string): Promise<string[]> {
  const count = await page.evaluate(() => pageAccess.begin());
  assert.ok(count > 2, `${where}: ${count}`);
  const reached = new Set<number>();
  const faults = new Set<string>();
  for (let tabs = 0; tabs < count * TABS_EACH && reached.size < count; tabs++) {
    await page.keyboard.press("Tab");
    const focused = await focusedAtRest(page);
    if (focused === undefined) continue;
    const { name, index, isOutlined, contrast, isOnScreen } = focused;
    if (!isOutlined) faults.add(`${where}: the focus of ${name} is not seen`);
    if (contrast < LEAST_CONTRAST) faults.add(`${where}: the focus of ${name} is weak: ${contrast}`);
    if (!isOnScreen) faults.add(`${where}: ${name} has the focus and is not on the screen`);
    if (index >= 0) reached.add(index);
  }
  for (let index = 0; index < count; index++) {
    if (reached.has(index)) continue;
    const name = await page.evaluate((at) => pageAccess.nameAt(at), index);
    faults.add(`${where}: Tab does not lead to ${name}`);
  }
  return [...faults];
}

/** Presses Tab, or Shift+Tab, until something of that name has the focus. */
export async function tabTo(page: Page, name: RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let tabs = 0; tabs < 150; tabs++) {
    await page.keyboard.press(key);
    const focused = await focusedOf(page);
    if (focused !== undefined && name.test(focused.name)) return;
    seen.push(focused?.name ?? "-");
  }
  assert.fail(`${key} does not lead to ${name}: ${seen.slice(0, 40).join(", ")}`);
}

/** What has the focus, once the browser has scrolled to it. */
async function focusedAtRest(page: Page): Promise<Focused | undefined> {
  for (let looks = 0; ; looks++) {
    const focused = await focusedOf(page);
    if (focused === undefined || focused.isOnScreen || looks === SCROLLED_LOOKS) return focused;
    await page.waitForTimeout(50);
  }
}

export function focusedOf(page: Page): Promise<Focused | undefined> {
  return page.evaluate(() => pageAccess.focused());
}

/** WCAG 2.2 4.1.2: what can have the focus and has no name that assistive programs are told. */
export async function nameless(browser: BrowserContext, page: Page, where: string): Promise<string[]> {
  const session = await browser.newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const focusable = nodes.filter(
    ({ ignored, properties = [] }) =>
      !ignored && properties.some(({ name, value }) => name === "focusable" && value.value === true),
  );
  assert.ok(focusable.length > 2, where);
  return focusable
    .filter(({ role }) => !["RootWebArea", "main"].includes(String(role?.value)))
    .filter(({ name }) => String(name?.value ?? "").trim() === "")
    .map(({ role }) => `${where}: ${role?.value} has no name`);
}

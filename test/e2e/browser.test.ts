import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { build } from "esbuild";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { makeCertificate } from "../support/certificate.ts";
import { type CoreUnderTest, startCore } from "../support/core-under-test.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : "Chromium is not installed (scripts/install-test-tools)";

interface PageUe {
  register(account: { server: string; user: string; domain: string; password: string }): Promise<string>;
  call(uri: string): Promise<void>;
  state(): string;
  log(): string[];
  heard(): Promise<{ packets: number; energy: number }>;
  hangup(): Promise<void>;
  unregister(): Promise<void>;
}
declare const ue: PageUe;

/** The page with the UE, on localhost because getUserMedia wants a secure context. */
async function servePage(t: TestContext): Promise<string> {
  const bundle = await build({
    entryPoints: [join(import.meta.dirname, "../support/browser-ue/ue.js")],
    bundle: true,
    write: false,
    format: "iife",
  });
  const script = bundle.outputFiles[0]?.text ?? "";
  const server = createServer((request, response) => {
    const isScript = request.url === "/ue.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : "<!doctype html><title>UE</title><script src=/ue.js></script>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

async function launchBrowser(t: TestContext): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), "tidewater-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    ignoreHTTPSErrors: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--ignore-certificate-errors",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--allow-loopback-in-peer-connection",
      "--autoplay-policy=no-user-gesture-required",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}

async function openUe(
  browser: BrowserContext,
  page: string,
  core: CoreUnderTest,
  server: string,
  user: string,
): Promise<Page> {
  const tab = await browser.newPage();
  await tab.goto(page);
  const account = { server, user, domain: core.domain, password: "secret" };
  assert.equal(await tab.evaluate((given) => ue.register(given), account), "registered");
  return tab;
}

for (const scheme of ["ws", "wss"] as const) {
  test(`browser over ${scheme.toUpperCase()} (RFC 7118): two pages register, call, hear each other and hang up`, {
    skip,
  }, async (t) => {
    const certificate = makeCertificate(t, ["localhost"]);
    const secure = [
      "--set",
      `bono.tls-cert-file=${certificate.certFile}`,
      "--set",
      `bono.tls-key-file=${certificate.keyFile}`,
    ];
    const core = await startCore(t, scheme === "wss" ? { args: secure } : {});
    const server =
      scheme === "ws" ? `ws://${core.host}:${core.sip.wsPort}` : `wss://${core.host}:${core.sip.wssPort}`;
    const page = await servePage(t);
    const browser = await launchBrowser(t);
    const alice = await openUe(browser, page, core, server, "6505550000");
    const bob = await openUe(browser, page, core, server, "6505550001");

    await alice.evaluate((uri) => ue.call(uri), `sip:6505550001@${core.domain}`);
    for (const tab of [alice, bob])
      await tab
        .waitForFunction(() => ue.state() === "Established", undefined, { timeout: 20_000 })
        .catch(async (error: unknown) => {
          assert.fail(
            `${String(error)}: ${JSON.stringify(await tab.evaluate(() => ue.log()))}\n${core.output()}`,
          );
        });
    await alice.waitForTimeout(3000);
    const heard = [await alice.evaluate(() => ue.heard()), await bob.evaluate(() => ue.heard())];
    t.diagnostic(
      `heard by the caller ${JSON.stringify(heard[0])}, by the callee ${JSON.stringify(heard[1])}`,
    );
    for (const { packets, energy } of heard) {
      assert.ok(packets > 50, `${packets} packets`);
      assert.ok(energy > 0.0001, `energy ${energy}`);
    }
    await bob.evaluate(() => ue.hangup());
    await alice.waitForFunction(() => ue.state() === "Terminated", undefined, { timeout: 5000 });
    await alice.evaluate(() => ue.unregister());
  });
}

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { build } from "esbuild";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { CoreUnderTest } from "./core-under-test.ts";

const CHROMIUM = "/usr/bin/chromium";

/** False when browsers can be started here, else why not. */
export const noBrowser: string | false = existsSync(CHROMIUM)
  ? false
  : "Chromium is not installed (scripts/install-test-tools)";

/** RTCConfiguration, as far as tests want it. */
export interface PeerConnectionConfiguration {
  readonly iceServers: readonly {
    readonly urls: readonly string[];
    readonly username: string;
    readonly credential: string;
  }[];
  readonly iceTransportPolicy?: "all" | "relay";
}

/** `ue` of test/support/browser-ue. */
export interface PageUe {
  register(account: {
    server: string;
    user: string;
    domain: string;
    password: string;
    peerConnection?: PeerConnectionConfiguration;
  }): Promise<string>;
  call(uri: string): Promise<void>;
  state(): string;
  log(): string[];
  heard(): Promise<{ packets: number; energy: number }>;
  /** Candidate types of the pair that media take: host, srflx, prflx or relay. */
  pair(): Promise<{ local: string; remote: string }>;
  hangup(): Promise<void>;
  /** Gives up a call of its own that is not answered yet. */
  cancel(): Promise<void>;
  unregister(): Promise<void>;
}
declare const ue: PageUe;

/** The page with the UE, on localhost because getUserMedia wants a secure context. */
export async function servePage(t: TestContext): Promise<string> {
  const bundle = await build({
    entryPoints: [join(import.meta.dirname, "browser-ue/ue.js")],
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

/** `t.after()`, or what collects ends for the end of several tests. */
export interface Ends {
  after(end: () => Promise<void>): void;
}

const SETTINGS = {
  executablePath: CHROMIUM,
  headless: true,
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
};

export async function launchBrowser(t: Ends): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), "tidewater-chromium-"));
  const context = await chromium.launchPersistentContext(profile, { ...SETTINGS, ignoreHTTPSErrors: true });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}

/** A browser in which each context is somebody else, with cookies of his own. */
export async function launchPeople(
  t: Ends,
): Promise<(options?: BrowserContextOptions) => Promise<BrowserContext>> {
  const browser = await chromium.launch(SETTINGS);
  t.after(() => browser.close());
  return (options) => browser.newContext({ permissions: ["microphone", "camera"], ...options });
}

/** A page with a UE that is registered over `server` (ws: or wss:). */
export async function openUe(
  browser: BrowserContext,
  page: string,
  core: Pick<CoreUnderTest, "domain">,
  account: {
    readonly server: string;
    readonly user: string;
    readonly password?: string;
    readonly peerConnection?: PeerConnectionConfiguration;
  },
): Promise<Page> {
  const tab = await browser.newPage();
  await tab.goto(page);
  const given = { domain: core.domain, password: "secret", ...account };
  const registered = await tab.evaluate((one) => ue.register(one), given);
  if (registered !== "registered") throw new Error(registered);
  return tab;
}

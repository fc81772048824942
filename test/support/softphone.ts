import assert from "node:assert/strict";
import type { BrowserContext, Locator, Page } from "playwright-core";

/** A starved machine takes long. */
const WITHIN_MS = 30_000;

interface Heard {
  readonly energy: number;
  readonly frames: number;
}

/** In a page: every RTCPeerConnection that it has made, with what it was made of. */
declare const peerConnections: RTCPeerConnectionOfPage[];
interface RTCPeerConnectionOfPage {
  readonly connectionState: string;
  getConfiguration(): { readonly iceServers: readonly { readonly urls: readonly string[] }[] };
  getStats(): Promise<Map<string, Record<string, unknown>>>;
  getReceivers(): readonly { readonly track: { readonly kind: string } }[];
}

/** Lets the tests look at the media of pages: these keep them for themselves. */
export async function watchMedia(browser: BrowserContext): Promise<void> {
  await browser.addInitScript(() => {
    const page = globalThis as unknown as Record<string, unknown>;
    const made: unknown[] = [];
    page["peerConnections"] = made;
    const Original = page["RTCPeerConnection"] as new (configuration: unknown) => object;
    page["RTCPeerConnection"] = class extends Original {
      constructor(configuration: unknown) {
        super(configuration);
        made.push(this);
      }
    };
  });
}

/** A softphone page, by what a person sees of it. */
export class SoftphonePage {
  readonly page: Page;
  readonly number: string;
  /** Exceptions, and loads that a policy refused: there must be none. A server that is busy (503) is asked again. */
  readonly faults: string[] = [];
  /** Messages to the P-CSCF. */
  readonly sent: string[] = [];

  constructor(page: Page, number: string) {
    this.page = page;
    this.number = number;
    page.setDefaultTimeout(WITHIN_MS);
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => void this.sent.push(String(payload))),
    );
    page.on("pageerror", (error) => this.faults.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error" && !/WebSocket connection to|status of 503/.test(line.text()))
        this.faults.push(line.text());
    });
  }

  /** A click. Pages that are behind others paint seldom: it does not wait until nothing moves. */
  async tap(place: Locator | string): Promise<void> {
    const locator = typeof place === "string" ? this.page.locator(place) : place;
    await locator.waitFor();
    await locator.click({ force: true });
  }

  async signOn(password: string): Promise<void> {
    const secret = this.page.locator("#credentials [name=password]");
    await this.found(secret, `the form to sign on (${this.faults.join("; ")})`);
    await secret.fill(password);
    await this.tap("#credentials [type=submit]");
  }

  async registered(within = WITHIN_MS): Promise<void> {
    await this.sees("#registration.registered", "Ready", within);
  }

  async dial(to: string, kind: "Call" | "Video call" = "Call"): Promise<void> {
    await this.tap("#tab-keypad");
    await this.page.locator("#dial [name=target]").fill(to);
    await this.tap(this.page.locator("#dial").getByRole("button", { name: kind, exact: true }));
  }

  /** The card of the call with somebody. */
  call(name: string): Locator {
    return this.page.locator(".call", { has: this.page.locator("h3", { hasText: name }) });
  }

  async press(name: string, button: string): Promise<void> {
    await this.tap(this.call(name).getByRole("button", { name: button, exact: true }));
  }

  /** Answers in the dialog, with the keyboard: it has the focus. */
  async answer(): Promise<void> {
    await this.page.locator("#incoming[open]").waitFor({ timeout: WITHIN_MS });
    await this.page.locator("#answer:focus").waitFor({ timeout: WITHIN_MS });
    await this.page.keyboard.press("Enter");
  }

  async state(name: string, words: string): Promise<void> {
    await this.found(
      this.call(name).locator(".state", { hasText: words }),
      `${words} of the call with ${name}`,
    );
  }

  async calls(count: number): Promise<void> {
    await this.until(`${count} calls`, async () => (await this.page.locator(".call").count()) === count);
  }

  async sees(selector: string, words: string, within = WITHIN_MS): Promise<void> {
    await this.found(this.page.locator(selector, { hasText: words }), `${words} at ${selector}`, within);
  }

  async found(place: Locator, what: string, within = WITHIN_MS): Promise<void> {
    await place
      .first()
      .waitFor({ timeout: within })
      .catch(async () => {
        assert.fail(
          `${this.number} does not show ${what}: ${await this.page.locator("body").ariaSnapshot()}`,
        );
      });
  }

  /** What has come in over the last connection: sound as energy, pictures as frames. */
  heard(): Promise<Heard> {
    return this.page.evaluate(async () => {
      const heard = { energy: 0, frames: 0 };
      const report = await peerConnections
        .findLast(({ connectionState }) => connectionState !== "closed")
        ?.getStats();
      for (const stat of report?.values() ?? []) {
        if (stat["type"] !== "inbound-rtp") continue;
        heard.energy += Number(stat["totalAudioEnergy"] ?? 0);
        heard.frames += Number(stat["framesDecoded"] ?? 0);
      }
      return heard;
    });
  }

  /** Waits until more sound (or pictures) has come in than `least`. */
  async hears(what: keyof Heard, least: number): Promise<void> {
    const before = (await this.heard())[what];
    await this.until(`${least} more ${what}`, async () => (await this.heard())[what] > before + least);
  }

  /** The two loudest frequencies that have come in within two seconds, to 40 Hz: those of a DTMF key. */
  listenFor(tones: readonly [number, number]): Promise<boolean> {
    return this.page.evaluate(async ([low, high]) => {
      interface Analyser {
        fftSize: number;
        readonly frequencyBinCount: number;
        getFloatFrequencyData(into: Float32Array): void;
      }
      interface Context {
        readonly sampleRate: number;
        createAnalyser(): Analyser;
        createMediaStreamSource(stream: unknown): { connect(to: Analyser): void };
        close(): Promise<void>;
      }
      const { AudioContext: Audio, MediaStream: Stream } = globalThis as unknown as {
        AudioContext: new () => Context;
        MediaStream: new (tracks: readonly unknown[]) => unknown;
      };
      const connection = peerConnections.findLast(({ connectionState }) => connectionState !== "closed");
      const track = connection?.getReceivers().find((one) => one.track.kind === "audio")?.track;
      const context = new Audio();
      const analyser = context.createAnalyser();
      analyser.fftSize = 4096;
      context.createMediaStreamSource(new Stream([track])).connect(analyser);
      const levels = new Float32Array(analyser.frequencyBinCount);
      const level = (frequency: number): number =>
        levels[Math.round((frequency * analyser.fftSize) / context.sampleRate)] ?? -200;
      const until = performance.now() + 8_000;
      let isHeard = false;
      while (!isHeard && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        analyser.getFloatFrequencyData(levels);
        const [one, two, beside] = [level(low), level(high), level((low + high) / 2)];
        isHeard = one > -60 && two > -60 && one > beside + 20 && two > beside + 20;
      }
      await context.close();
      return isHeard;
    }, tones);
  }

  /** TURN and STUN servers that the last call was given. */
  relays(): Promise<readonly string[]> {
    return this.page.evaluate(
      () =>
        peerConnections
          .at(-1)
          ?.getConfiguration()
          .iceServers.flatMap(({ urls }) => urls) ?? [],
    );
  }

  async until(what: string, is: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + WITHIN_MS;
    while (!(await is())) {
      if (performance.now() > until)
        assert.fail(`${this.number} waits for ${what}: ${await this.page.locator("body").ariaSnapshot()}`);
      await this.page.waitForTimeout(50);
    }
  }
}

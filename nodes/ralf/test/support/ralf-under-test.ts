import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ChargingEvent } from "@ims/ims";
import {
  type Clock,
  createHealth,
  type Health,
  loopPacer,
  metricsRegister,
  type Service,
  systemClock,
} from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { createRalf, type RalfOptions, ralfOptions } from "../../src/index.ts";

/** A ralf in this process, with what it keeps in `stateDir`. */
export interface RalfUnderTest {
  readonly url: string;
  readonly health: Health;
  readonly stateDir: string;
  readonly metrics: () => Promise<string>;
  send(events: readonly unknown[], resent?: boolean): Promise<Response>;
  stop(): Promise<void>;
}

export async function startRalf(
  t: TestContext,
  options: Partial<RalfOptions>,
  clock: Clock = systemClock(),
): Promise<RalfUnderTest> {
  const stateDir = options.stateDir ?? folder(t);
  const register = metricsRegister();
  const health = createHealth();
  const parsed = ralfOptions.parse({ port: 0, stateDir, cdfTimeoutMs: 300, ...options });
  const service: Service = await createRalf(parsed, {
    log: memoryLogger("silent"),
    register,
    clock,
    health,
    pacer: loopPacer({ aboveRate: 0, pauseMs: 0 }),
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await service.stop();
    stopped = true;
  };
  t.after(stop);
  await service.start();
  health.set("ready");
  const url = `http://127.0.0.1:${service.ports?.()["charging"]}`;
  return {
    url,
    health,
    stateDir,
    metrics: () => register.scrape(),
    send: (events, resent = false) =>
      fetch(`${url}/charging-events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ resent, events }),
      }),
    stop,
  };
}

export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ralf-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

let count = 0;
/** A START of the originating S-CSCF, unless told otherwise. */
export function chargingEvent(overrides: Partial<ChargingEvent> = {}): ChargingEvent {
  const n = ++count;
  return {
    id: `event-${n}`,
    kind: "start",
    time: 1_800_000_000_000 + n,
    node: "S-CSCF",
    nodeAddress: "127.0.0.1",
    role: "originating",
    callId: `call-${n}`,
    fromTag: "a",
    toTag: "b",
    method: "INVITE",
    requestTime: 1_800_000_000_000,
    responseTime: 1_800_000_000_500,
    status: 200,
    callingParty: ["sip:alice@example.com", "tel:+15551234"],
    calledParty: "sip:bob@example.com",
    icid: `icid-${n}`,
    origIoi: "example.com",
    termIoi: "example.org",
    ...overrides,
  };
}

/** BYE in the dialog of a START. */
export function byeOf(start: ChargingEvent, overrides: Partial<ChargingEvent> = {}): ChargingEvent {
  const { node, nodeAddress, callId, fromTag, toTag } = start;
  return {
    id: `bye-${start.id}`,
    kind: "stop",
    time: start.time + 5_000,
    ...{ node, nodeAddress, callId, fromTag, toTag },
    method: "BYE",
    callingParty: [],
    calledParty: "sip:bob@127.0.0.1",
    ...overrides,
  };
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

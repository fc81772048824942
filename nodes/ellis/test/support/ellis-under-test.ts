import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createHealth, loopPacer, metricsRegister } from "@ims/runtime";
import { type FakeClock, fakeClock, type MemoryLogger, memoryLogger } from "@ims/runtime/testing";
import { createEllis, ellisOptions } from "../../src/index.ts";
import { fakeHomer, fakeHomestead } from "./fake-neighbours.ts";

export interface Asked {
  readonly session?: string;
  readonly key?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The body as an object; empty when it is none. */
  readonly json: Record<string, unknown>;
}

export interface EllisUnderTest {
  readonly url: string;
  readonly stateDir: string;
  readonly clock: FakeClock;
  readonly log: MemoryLogger;
  readonly signupCode: string;
  readonly key: string;
  readonly homestead: Awaited<ReturnType<typeof fakeHomestead>>;
  readonly homer: Awaited<ReturnType<typeof fakeHomer>>;
  notes(): string[];
  metrics(): Promise<string>;
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  /** Makes an account and logs in; the value of Cookie. */
  signUp(email: string, password?: string): Promise<string>;
  /** Makes one of the staff and logs in; the value of Cookie. */
  staff(role: "viewer" | "operator" | "administrator", email?: string): Promise<string>;
  /** Another ellis of the same pool: its URL. */
  another(): Promise<string>;
}

export const PASSWORD = "correct horse";

export async function startEllis(
  t: TestContext,
  options: Record<string, unknown> = {},
): Promise<EllisUnderTest> {
  const stateDir = mkdtempSync(join(tmpdir(), "ellis-"));
  const [homestead, homer] = [await fakeHomestead(t), await fakeHomer(t)];
  const [clock, log, health] = [fakeClock(), memoryLogger("trace"), createHealth()];
  const register = metricsRegister();
  const stops: (() => Promise<void>)[] = [];
  const start = async (metrics = metricsRegister()): Promise<string> => {
    const service = await createEllis(
      ellisOptions.parse({
        ...{ port: 0, stateDir, homestead: homestead.url, homer: homer.url, passwordCost: 12 },
        numbers: ["6505550100-6505550299"],
        pstnNumbers: ["+16505550300-+16505550309"],
        ...options,
      }),
      { clock, log, register: metrics, health, pacer: loopPacer({ aboveRate: 0, pauseMs: 0 }) },
    );
    await service.start();
    stops.push(() => service.stop());
    return `http://127.0.0.1:${service.ports?.()["http"]}`;
  };
  const url = await start(register);
  t.after(async () => {
    for (const stop of stops) await stop();
    rmSync(stateDir, { recursive: true });
  });
  const ask: EllisUnderTest["ask"] = (method, path, asked = {}) => request(`${url}${path}`, method, asked);
  const key = readFileSync(join(stateDir, "ellis-api-key"), "utf8").trim();
  const signupCode = readFileSync(join(stateDir, "ellis-signup-code"), "utf8").trim();
  return {
    ...{ url, stateDir, clock, log, signupCode, homestead, homer, ask },
    key,
    staff: async (role, email = `${role}@example.com`) => {
      const added = await ask("POST", "/staff/accounts", { key, json: { email, role, password: PASSWORD } });
      if (added.status !== 201) throw new Error(`staff: ${added.status} ${added.text}`);
      return sessionOf(await ask("POST", "/session", { form: { email, password: PASSWORD } }));
    },
    notes: () => health.notes(),
    metrics: () => register.scrape(),
    another: () => start(),
    signUp: async (email, password = PASSWORD) => {
      const json = { email, password, full_name: "Somebody" };
      const made = await ask("POST", "/accounts", { json, headers: { "ngv-signup-code": signupCode } });
      if (made.status !== 201) throw new Error(`sign-up: ${made.status} ${made.text}`);
      return sessionOf(await ask("POST", "/session", { form: { email, password } }));
    },
  };
}

/** Value of Cookie that an answer gives. */
export function sessionOf(answer: Answer): string {
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  return cookie;
}

export async function request(url: string, method: string, asked: Asked): Promise<Answer> {
  const headers: Record<string, string> = { ...asked.headers };
  if (asked.session !== undefined) headers["cookie"] = asked.session;
  if (asked.key !== undefined) headers["ngv-api-key"] = asked.key;
  let body = asked.body;
  if (asked.json !== undefined) {
    headers["content-type"] ??= "application/json";
    body = JSON.stringify(asked.json);
  } else if (asked.form !== undefined) {
    headers["content-type"] ??= "application/x-www-form-urlencoded";
    body = new URLSearchParams(asked.form).toString();
  }
  const response = await fetch(url, {
    ...{ method, headers, redirect: "manual" },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // It is text then.
  }
  return { status: response.status, text, headers: response.headers, json };
}

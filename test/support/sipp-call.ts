import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "@ims/runtime/testing";
import { type RunningSipp, runSipp, type SippResult, startSipp } from "./sipp.ts";

export type SippUser = { readonly name: string; readonly password: string };
export type Transport = "udp" | "tcp";

/** The core that UEs talk to. */
export type SippTarget = {
  /** `host:port` of the P-CSCF. */
  readonly target: string;
  readonly domain: string;
  readonly transport: Transport;
  /** Address of the UEs. Default 127.0.0.1. */
  readonly ueHost?: string;
};

/** `fill` replaces `@NAME@` in the scenario, `args` are more options for SIPp. */
export type Scenario = {
  readonly name: string;
  readonly fill?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Another user than the one who is called: where the call comes to in the end. */
  readonly user?: SippUser;
  /** Home domain of this UE, when it is another than the core's first. */
  readonly domain?: string;
};

/** Who calls whom: `callees` are UEs of one user (several: its contacts), all registered before the caller starts. */
export type SippCall = {
  readonly caller: SippUser;
  readonly scenario: Scenario;
  readonly callee: SippUser;
  readonly callees: readonly Scenario[];
};

export type SippCallResult = { readonly caller: SippResult; readonly callees: readonly SippResult[] };

const REGISTERED_WITHIN_MS = 15_000;
const CALL_WITHIN_MS = 40_000;
const ENDED_WITHIN_MS = 15_000;

export const scenarioPath = (name: string): string => join(import.meta.dirname, "../sipp", `${name}.xml`);

/** Arguments of a single UE: one socket, one address and port for everything it sends and takes. */
export async function ueArgs({ transport, ueHost = "127.0.0.1", domain }: SippTarget): Promise<string[]> {
  const port = await freePort(ueHost);
  const socket = ["-t", transport === "udp" ? "u1" : "t1", "-i", ueHost, "-p", String(port)];
  return [...socket, "-m", "1", "-auth_uri", domain];
}

/** The injection row of a UE. */
export function ueRow({ name, password }: SippUser, domain: string, ...more: string[]): string[] {
  return [name, `[authentication username=${name}@${domain} password=${password}]`, ...more];
}

/** Runs a scenario in which a UE talks to the core alone: registrations. */
export async function runRegistration(
  where: SippTarget,
  scenario: Scenario,
  user: SippUser,
): Promise<SippResult> {
  return runSipp({
    scenario: scenarioPath(scenario.name),
    target: where.target,
    csv: [ueRow(user, where.domain)],
    keys: { domain: where.domain },
    args: await ueArgs(where),
    timeoutMs: CALL_WITHIN_MS,
    ...(scenario.fill === undefined ? {} : { fill: scenario.fill }),
  });
}

/** Registers the callees, runs the caller, waits until the callees are done with the call too. */
export async function runCall(where: SippTarget, call: SippCall): Promise<SippCallResult> {
  const { domain } = where;
  const callees: RunningSipp[] = [];
  try {
    for (const scenario of call.callees) {
      const home = scenario.domain ?? domain;
      const callee = startSipp({
        scenario: scenarioPath("register-and-wait"),
        outOfCall: scenarioPath(scenario.name),
        target: where.target,
        csv: [ueRow(scenario.user ?? call.callee, home)],
        keys: { domain: home },
        args: [...(await ueArgs({ ...where, domain: home })), "-d", String(CALL_WITHIN_MS)],
        timeoutMs: CALL_WITHIN_MS + REGISTERED_WITHIN_MS + ENDED_WITHIN_MS,
        ...(scenario.fill === undefined ? {} : { fill: scenario.fill }),
      });
      callees.push(callee);
      await logged(callee, "registered", REGISTERED_WITHIN_MS);
    }
    const home = call.scenario.domain ?? domain;
    const caller = await runSipp({
      scenario: scenarioPath(call.scenario.name),
      target: where.target,
      csv: [ueRow(call.caller, home, call.callee.name)],
      keys: { domain: home },
      args: [...(await ueArgs({ ...where, domain: home })), ...(call.scenario.args ?? [])],
      timeoutMs: CALL_WITHIN_MS,
      ...(call.scenario.fill === undefined ? {} : { fill: call.scenario.fill }),
    });
    const wait = caller.exitCode === 0 ? ENDED_WITHIN_MS : 500;
    for (const callee of callees) await logged(callee, "ended", wait);
    return { caller, callees: await Promise.all(callees.map((callee) => callee.finish(100))) };
  } finally {
    await Promise.all(callees.map((callee) => callee.finish(0)));
  }
}

async function logged(running: RunningSipp, line: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!running.logs().includes(line) && performance.now() < deadline) await delay(20);
}

/** What went wrong with a call, in words; empty when every check of every UE held. */
export function problemsOf({ caller, callees }: SippCallResult): string[] {
  const problems: string[] = [];
  if (caller.exitCode !== 0)
    problems.push(`caller: exit code ${caller.exitCode}: ${caller.errors || "no message"}`);
  callees.forEach((callee, index) => {
    // The exit code tells of the registration only; calls of the out-of-call scenario show in the complaints and logs.
    const errors = callee.errors
      .split(/(?=\d{4}-\d\d-\d\d\t)/)
      .filter((one) => !/^The following events|using the out-of-call scenario|Overload warning/.test(one));
    if (!callee.logs.includes("registered"))
      problems.push(`callee ${index} did not register: ${errors.join("")}`);
    else if (!callee.logs.includes("ended"))
      problems.push(`callee ${index} did not see the end: ${errors.join("")}`);
    else if (errors.length > 0) problems.push(`callee ${index}: ${errors.join("")}`);
  });
  return problems;
}

/** Messages of a kind in a SIPp trace: "sent" or "received", first line starting with `start`. */
export function countMessages(
  { messages }: SippResult,
  direction: "sent" | "received",
  start: string,
): number {
  return messages
    .split(/^-{20,}.*$/m)
    .filter((one) => new RegExp(`message ${direction} `).test(one))
    .filter(
      (one) =>
        one
          .trimStart()
          .split(/\r?\n\r?\n/)[1]
          ?.startsWith(start) === true,
    ).length;
}

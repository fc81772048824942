import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Cdf } from "../support/cdf.ts";
import { launchCore } from "../support/core-under-test.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "./load.ts";
import { cpuSeconds } from "./proc.ts";
import { domain, provision, systemOf } from "./system.ts";
import { usersOf } from "./users.ts";

const usage = `npm run test:charging -- [options]    calls while the CDF is away for a while: every record once, none lost

  --calls N      calls (10000)
  --rate N       calls per second (100)
  --down N       seconds that the CDF is away, in the middle (60)
  --pairs N      callers, and callees (250)
  --kill         kill ralf while the CDF is away (it is started again)`;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "10000" },
    rate: { type: "string", default: "100" },
    down: { type: "string", default: "60" },
    pairs: { type: "string", default: "250" },
    kill: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const [calls, rate, down, pairs] = [values.calls, values.rate, values.down, values.pairs].map(Number) as [
  number,
  number,
  number,
  number,
];
if (![calls, rate, down, pairs].every((each) => Number.isInteger(each) && each > 0)) {
  console.error(usage);
  process.exit(2);
}

/** Who charges a call: each must have every call once. */
const ROLES = ["P-CSCF originating", "P-CSCF terminating", "S-CSCF originating", "S-CSCF terminating"];
const functions = new Map([
  [0, "S-CSCF"],
  [1, "P-CSCF"],
]);
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

const cdf = new Cdf();
cdf.keepAll = false;
await cdf.up();
const core = await launchCore({
  host: "127.0.0.6",
  args: ["--no-examples", "--domain", domain, "--charging", "--set", `ralf.cdf=127.0.0.1:${cdf.port}`],
});
let failed = true;
try {
  failed = !(await run());
} finally {
  await core.stop();
  await cdf.down();
}
process.exit(failed ? 1 : 0);

async function run(): Promise<boolean> {
  const [callers, callees] = [usersOf("a", pairs), usersOf("b", pairs)];
  await provision(core, [...callers, ...callees]);
  const system = systemOf(core);
  const registered = await startRegistrations({ system, users: callers, role: "caller", rate: 100 }).done;
  await startRegistrations({ system, users: callees, role: "callee", rate: 100 }).done;
  say(`${pairs} pairs registered`);

  const ralf = core.nodes.find(({ name }) => name === "ralf")?.pid ?? 0;
  const cpuBefore = cpuSeconds(ralf);
  const answering = startCallees(callees, (calls / rate) * 1000 + 120_000);
  await delay(500);
  const began = Date.now();
  const routes = serviceRoutes(registered);
  const calling = startCalls({ system, callers, callees, routes, rate, count: calls });
  const quiet = Math.max(1, (calls / rate - down) / 2);
  await delay(quiet * 1000);
  say(`CDF down; it has ${cdf.records.size} records`);
  await cdf.down();
  if (values.kill) {
    await delay((down * 1000) / 2);
    process.kill(ralf, "SIGKILL");
    say("ralf killed");
    await delay((down * 1000) / 2);
  } else await delay(down * 1000);
  const waiting = await gauge("ims_ralf_queued_records");
  await cdf.up();
  const back = Date.now();
  say(`CDF up; ${waiting} records wait on disk`);
  let drained = 0;
  const watch = (async () => {
    while (drained === 0) {
      if ((await gauge("ims_ralf_queued_records")) < 50) drained = Date.now() - back;
      else await delay(250);
    }
  })();
  const called = await calling.done;
  await watch;
  say(
    `${called.stats.successful} of ${calls} calls in ${((Date.now() - began) / 1000).toFixed(0)} s, ` +
      `${called.stats.failed} failed, ${called.stats.retransmissions} retransmissions`,
  );
  await answering.finish();
  await settled(called.stats.successful);
  const cpu = values.kill ? Number.NaN : cpuSeconds(ralf) - cpuBefore;
  say(
    `queue drained ${(drained / 1000).toFixed(1)} s after the CDF was back; ralf used ${cpu.toFixed(1)} s of CPU`,
  );
  return judge(called.stats.successful, called.stats.failed);
}

/** All that is to come has come. */
async function settled(wanted: number): Promise<void> {
  const enough = (): boolean => cdf.of("STOP").length >= wanted * ROLES.length;
  for (const end = Date.now() + 30_000; !enough() && Date.now() < end; ) await delay(200);
  await delay(1_000);
}

async function gauge(name: string): Promise<number> {
  try {
    const text = await (await fetch(`http://${core.host}:9106/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}

/** SIPp gives a call up when an answer is late, and perhaps says no BYE: such calls are not known to have ended. */
async function judge(wanted: number, abandoned: number): Promise<boolean> {
  const sessions = new Map<string, { start: number; stop: number; numbers: Set<number> }>();
  const byRole = new Map<string, { calls: Set<string>; pairs: number; sessions: number }>();
  for (const { sessionId, type, number, avps } of cdf.records.values()) {
    if (type === "EVENT") continue;
    const ims = avps.serviceInformation?.imsInformation;
    const role = `${functions.get(ims?.nodeFunctionality ?? -1)} ${ims?.roleOfNode === 0 ? "originating" : "terminating"}`;
    const session = sessions.get(sessionId) ?? { start: 0, stop: 0, numbers: new Set() };
    sessions.set(sessionId, session);
    if (type === "START") session.start++;
    if (type === "STOP") session.stop++;
    session.numbers.add(number);
    const of = byRole.get(role) ?? { calls: new Set(), pairs: 0, sessions: 0 };
    byRole.set(role, of);
    if (type !== "STOP") continue;
    of.sessions++;
    of.calls.add(ims?.userSessionId ?? "");
    if (session.start === 1 && session.stop === 1) of.pairs++;
  }
  let good = cdf.unmarked.length === 0;
  for (const role of ROLES) {
    const {
      calls: distinct,
      pairs: whole,
      sessions: all,
    } = byRole.get(role) ?? { calls: new Set(), pairs: 0, sessions: 0 };
    say(`${role}: ${whole} complete pairs of ${distinct.size} calls in ${all} sessions`);
    if (whole < wanted || whole > calls || distinct.size !== all || whole !== all) good = false;
  }
  const open = [...sessions.values()].filter(({ start, stop }) => start !== 1 || stop !== 1).length;
  say(
    `${open} incomplete sessions, ${cdf.repeated} records repeated with the T bit, ${cdf.unmarked.length} without`,
  );
  // The files have the same sessions; the last one is still open.
  const folder = join(core.stateDir, "cdr");
  const lines = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8").trim().split("\n"),
  );
  const cdrs = lines.map((line) => JSON.parse(line) as { id: string; record: string });
  const ids = new Set(cdrs.map(({ id }) => id));
  const ended = cdrs.filter(({ record }) => record === "session").length;
  say(`CDR files: ${ended} sessions, ${cdrs.length - ended} events, ${cdrs.length - ids.size} twice`);
  const pairsInAll = [...byRole.values()].reduce((sum, { pairs: some }) => sum + some, 0);
  if (open > abandoned * ROLES.length || ids.size !== cdrs.length || ended !== pairsInAll) good = false;
  say(
    good
      ? "every call that ended is charged by every function, none twice"
      : "NOT every call is charged once",
  );
  if (abandoned > 0) say(`but SIPp gave ${abandoned} calls up: run it again on a machine that keeps up`);
  return good && wanted === calls;
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launchCore } from "../support/core-under-test.ts";
import { launchKafka } from "../support/kafka.ts";
import { readTopic } from "../support/kafka-topic.ts";
import { type SippResult, unexpectedStatuses } from "../support/sipp.ts";
import { processorTime, stolenBetween } from "../support/stolen-time.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "./load.ts";
import { percentile } from "./round.ts";
import { domain, provision, systemOf } from "./system.ts";
import { usersOf } from "./users.ts";

const usage = `npm run test:kafka -- [options]    analytics events of real calls to a real Kafka that is killed in the middle: none lost, none twice, calls unaffected

  --events N     events (100000); a call makes three
  --rate N       calls per second to each of the two cores (100)
  --down N       seconds that the broker is away, in the middle (20)
  --pairs N      callers, and callees (400)

Beside it, for comparison, a core that writes its events to files alone gets the same calls at the same time. Both share the
processors, so what Kafka's client takes shows in the other core as well: the ratio is a lower bound.`;

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    rate: { type: "string", default: "100" },
    down: { type: "string", default: "20" },
    pairs: { type: "string", default: "400" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const [events, rate, down, pairs] = [values.events, values.rate, values.down, values.pairs].map(Number) as [
  number,
  number,
  number,
  number,
];
if (![events, rate, down, pairs].every((each) => Number.isInteger(each) && each > 0)) {
  console.error(usage);
  process.exit(2);
}

const TOPIC = "tidewater.analytics";
const WARM_UP_S = 10;
/** Calls more than the events need: one that fails makes fewer. */
const SPARE = 1.02;
const DRAINED_WITHIN_MS = 30_000;
/** Exchanges that SIPp times, and their number in its scenario. */
const EXCHANGES = [
  ["INVITE-180", "1"],
  ["BYE-200", "3"],
] as const;
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

interface Told {
  readonly id: string;
  readonly event: string;
  readonly role?: string;
}

const kafka = await launchKafka();
const [folder, plainFolder] = ["analytics-", "analytics-plain-"].map((name) =>
  mkdtempSync(join(tmpdir(), name)),
) as [string, string];
let failed = true;
try {
  say(`a Kafka on ${kafka.broker}`);
  const count = Math.ceil((events / 3) * SPARE);
  const to = ["--set", `sprout.analytics-kafka=${kafka.broker}`, "--set", `sprout.analytics-dir=${folder}`];
  // At once: what disturbs one core, the broker's Java machine for one, disturbs the other as well.
  const plainTo = ["--set", `sprout.analytics-dir=${plainFolder}`];
  const cores = await all([plainTo, to].map((set, lane) => startLoad(lane, set, count)));
  let results: SippResult[];
  try {
    const [plain, told] = cores as [Loaded, Loaded];
    await Promise.all(cores.map(({ warmUp }) => warmUp()));
    const before = processorTime();
    const calling = cores.map((one) => one.call());
    await restart(told);
    results = await Promise.all(calling);
    const stolen = `${(stolenBetween(before, processorTime()) * 100).toFixed(1)} % stolen`;
    tell(`not told of Kafka (${plain.host}), ${stolen}`, results[0] as SippResult);
    tell(`with Kafka (${told.host}), ${stolen}`, results[1] as SippResult);
    await drained(told);
  } finally {
    await Promise.all(cores.map(({ stop }) => stop()));
  }
  const [without, withKafka] = results as [SippResult, SippResult];
  for (const [name, at] of EXCHANGES) {
    const [one, other] = [without, withKafka].map((result) =>
      percentile(result.responseTimes.get(at) ?? [], 0.99),
    );
    say(
      `${name}: p99 with Kafka ${((other ?? Number.NaN) / (one ?? Number.NaN)).toFixed(2)} times that of the core that is not told of it`,
    );
  }
  failed = !(await judge(withKafka.stats.successful, withKafka.stats.failed));
} finally {
  await kafka.stop();
  for (const one of [folder, plainFolder]) rmSync(one, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

/** Kills the broker in the middle of the calls and starts it again, and waits until it has what waited for it meanwhile. */
async function restart({ gauge }: Loaded): Promise<void> {
  await delay(Math.max(1, Math.ceil(events / 3) / rate - down) * 500);
  await kafka.kill();
  say(`the broker is killed; ${await gauge("written_total")} events are there`);
  await delay(down * 1000);
  say(`${await gauge("queued")} events wait`);
  await kafka.start();
  say("the broker is started again, and answers");
  const began = Date.now();
  while ((await gauge("queued")) > rate) await delay(100);
  say(`nothing waits any more ${((Date.now() - began) / 1000).toFixed(1)} s later`);
}

/** The last events are on their way when the last call ends. */
async function drained({ gauge }: Loaded): Promise<void> {
  const until = Date.now() + DRAINED_WITHIN_MS;
  while ((await gauge("queued")) > 0 && Date.now() < until) await delay(100);
}

/** All of them, or none: where one does not start the others end again. */
async function all(starting: readonly Promise<Loaded>[]): Promise<Loaded[]> {
  const started = await Promise.allSettled(starting);
  const failure = started.find(({ status }) => status === "rejected");
  const there = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (failure === undefined) return there;
  await Promise.all(there.map(({ stop }) => stop()));
  throw (failure as PromiseRejectedResult).reason;
}

/** A core with registered UEs. */
interface Loaded {
  readonly host: string;
  readonly warmUp: () => Promise<void>;
  readonly call: () => Promise<SippResult>;
  /** Of the metrics of the stream. */
  readonly gauge: (name: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function startLoad(lane: number, set: readonly string[], count: number): Promise<Loaded> {
  const host = `127.0.${lane}.6`;
  const core = await launchCore({ host, args: ["--no-examples", "--domain", domain, ...set] });
  const system = systemOf(core, { lane });
  const [callers, callees] = [usersOf("a", pairs, 0, lane), usersOf("b", pairs, 0, lane)];
  try {
    await provision(core, [...callers, ...callees]);
    const registered = await startRegistrations({ system, users: callers, role: "caller", rate: 50 }).done;
    await startRegistrations({ system, users: callees, role: "callee", rate: 50 }).done;
    const answering = startCallees(callees, (WARM_UP_S + count / rate) * 1000 + 180_000, { lane });
    await delay(500);
    const load = { system, callers, callees, routes: serviceRoutes(registered), rate };
    return {
      host,
      warmUp: async () => void (await startCalls({ ...load, count: rate * WARM_UP_S }).done),
      call: () => startCalls({ ...load, count }).done,
      gauge: async (name) => {
        const text = await (await fetch(`http://${host}:9102/metrics`)).text();
        return Number(
          new RegExp(`^ims_sprout_analytics_kafka_events_${name} (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN,
        );
      },
      stop: async () => {
        await answering.finish();
        await core.stop();
      },
    };
  } catch (cause) {
    await core.stop();
    throw cause;
  }
}

/** What was written to files is the measure of what must stand in the topic. */
async function judge(called: number, abandoned: number): Promise<boolean> {
  const lines = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8").trim().split("\n"),
  );
  const wanted = new Map<string, number>();
  for (const line of lines) {
    const { id } = JSON.parse(line) as Told;
    wanted.set(id, (wanted.get(id) ?? 0) + 1);
  }
  let answered = 0;
  const { records, ids } = await readTopic(kafka.broker, TOPIC, (value) => {
    const { id, event, role } = JSON.parse(value) as Told;
    if (event === "callAnswered" && role === "originating") answered++;
    return id;
  });
  const lost = [...wanted.keys()].filter((id) => !ids.has(id)).length;
  const twice = [...ids].filter(([id, times]) => times > (wanted.get(id) ?? 0)).length;
  const more = [...wanted.values()].filter((times) => times > 1).length;
  say(`${lines.length} events were told, ${wanted.size} ids (${more} of them told twice by sprout)`);
  say(`${records} records in the topic, ${ids.size} ids: ${lost} lost, ${twice} more often than told`);
  const least = called + rate * WARM_UP_S - abandoned;
  say(`${answered} answered calls in the topic; SIPp made ${called}, and ${rate * WARM_UP_S} to warm up`);
  const good =
    lost === 0 && twice === 0 && records === lines.length && records >= events && answered >= least;
  say(good ? "none lost, none twice" : "NOT every event is there once");
  return good;
}

function tell(what: string, { stats, responseTimes, errors }: SippResult): void {
  const times = EXCHANGES.map(([name, at]) => {
    const all = responseTimes.get(at) ?? [];
    return `${name} p50 ${percentile(all, 0.5)} ms, p99 ${percentile(all, 0.99)} ms`;
  });
  const { successful, failed: lost, retransmissions } = stats;
  say(
    `${what}: ${successful} calls, ${lost} failed, ${retransmissions} retransmissions; ${times.join("; ")}`,
  );
  for (const [status, times] of unexpectedStatuses(errors))
    say(`  ${times} x ${status} where it was not expected`);
}

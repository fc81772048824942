import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ReceivedAcr, startCdf } from "../../../test/support/cdf.ts";
import { cdrSchema } from "../src/cdr/cdr.ts";
import {
  byeOf,
  chargingEvent,
  folder,
  type RalfUnderTest,
  startRalf,
  until,
} from "./support/ralf-under-test.ts";

const brief = ({ sessionId, type, number, again }: ReceivedAcr) => ({ sessionId, type, number, again });
const cdfOf = (...ports: readonly number[]): string[] => ports.map((port) => `127.0.0.1:${port}`);

test("TS 32.260 §5.2.2.1: a session is START, INTERIM and STOP of one Session-Id, with the ICID of its START", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const start = chargingEvent({ offer: "v=0\r\ns=-\r\nm=audio 4 RTP/AVP 0\r\na=sendrecv\r\n" });
  const change = byeOf(start, { id: "reinvite", kind: "interim", method: "INVITE" });
  const bye = byeOf(start, { fromTag: "b", toTag: "a" });
  const answer = await ralf.send([start, change, bye]);
  assert.equal(answer.status, 202);
  assert.deepEqual(await answer.json(), { accepted: 3, refused: [] });
  await until(() => cdf.records.size === 3, "three records");
  const sessionId = cdf.received[0]?.sessionId ?? "";
  assert.match(sessionId, /^ralf\.example\.com;[0-9]+;[0-9]+;/);
  assert.deepEqual(
    cdf.received.map(brief),
    (["START", "INTERIM", "STOP"] as const).map((type, number) => ({
      sessionId,
      type,
      number,
      again: false,
    })),
  );
  const ims = cdf.received.map(({ avps }) => avps.serviceInformation?.imsInformation);
  assert.deepEqual(
    ims.map((one) => [one?.imsChargingIdentifier, one?.causeCode, one?.roleOfNode, one?.nodeFunctionality]),
    [
      [start.icid, undefined, 0, 0],
      [start.icid, undefined, 0, 0],
      [start.icid, 0, 0, 0],
    ],
  );
  assert.deepEqual(ims[0]?.interOperatorIdentifier, [
    { originatingIoi: "example.com", terminatingIoi: "example.org" },
  ]);
  assert.deepEqual(ims[0]?.sdpMediaComponent, [
    {
      sdpMediaName: "m=audio 4 RTP/AVP 0",
      sdpMediaDescription: ["a=sendrecv"],
      mediaInitiatorFlag: 2,
      sdpType: 0,
    },
  ]);
  assert.deepEqual(cdf.received[0]?.avps.serviceInformation?.subscriptionId, [
    { subscriptionIdType: 2, subscriptionIdData: "sip:alice@example.com" },
    { subscriptionIdType: 0, subscriptionIdData: "15551234" },
  ]);
  assert.equal(cdf.received[0]?.avps.serviceContextId, "32260@3gpp.org");
});

test("both roles of one S-CSCF are two sessions; one BYE ends both, the same BYE again ends nothing", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const start = chargingEvent();
  const other = { ...start, id: `${start.id}t`, role: "terminating" as const };
  const bye = byeOf(start);
  await ralf.send([start, other, bye]);
  await ralf.send([bye]);
  await ralf.send([{ ...bye, id: "bye by another way" }]);
  await until(() => cdf.records.size === 4, "two pairs");
  await until(async () => /repeated"} 2/.test(await ralf.metrics()), "two repeats");
  assert.equal(cdf.received.length, 4);
  assert.deepEqual(
    cdf.of("STOP").map(({ avps }) => avps.serviceInformation?.imsInformation?.roleOfNode),
    [0, 1],
  );
});

test("the tag of the served party says whose session a change or an end is", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const start = chargingEvent({ node: "P-CSCF" });
  await ralf.send([start, { ...start, id: "terminating", role: "terminating" }]);
  // The callee's side: his tag is that of To in the INVITE.
  await ralf.send([byeOf(start, { servedTag: "b" })]);
  await until(() => cdf.of("STOP").length === 1, "one end");
  assert.equal(cdf.of("STOP")[0]?.avps.serviceInformation?.imsInformation?.roleOfNode, 1);
});

test("TS 32.260 Table 5.2.2.1: what is no session, or failed, is an EVENT with its Cause-Code", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const event = { kind: "event", toTag: "" } as const;
  await ralf.send([
    chargingEvent({ ...event, method: "MESSAGE" }),
    chargingEvent({ ...event, status: 486 }),
    chargingEvent({ ...event, method: "REGISTER", expires: 0 }),
  ]);
  await until(() => cdf.records.size === 3, "three events");
  const causes = cdf.received.map(({ type, number, avps }) => {
    const ims = avps.serviceInformation?.imsInformation;
    return [type, number, ims?.eventType?.sipMethod, ims?.causeCode];
  });
  assert.deepEqual(causes.sort(), [
    ["EVENT", 0, "INVITE", 486],
    ["EVENT", 0, "MESSAGE", -1],
    ["EVENT", 0, "REGISTER", -3],
  ]);
});

test("TS 32.299 §7.2.118: events of the I-CSCF with Server-Capabilities, a session of the BGCF beside that of the S-CSCF", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const servers = { mandatory: [1], optional: [2], serverNames: ["sip:scscf.example.com"] };
  const start = chargingEvent();
  const bgcf = { ...start, id: "bgcf", node: "BGCF" } as const;
  const completed = chargingEvent({ kind: "event", node: "I-CSCF", toTag: "", servers });
  // The end of the call: each function tells of its own session.
  const byes = [byeOf(start), byeOf(bgcf, { id: "bye at the bgcf" })];
  // A member that sends again what another one has sent.
  const answer = await ralf.send([completed, start, bgcf, ...byes, completed]);
  assert.deepEqual(await answer.json(), { accepted: 6, refused: [] });
  await until(() => cdf.records.size === 5, "five records");
  const seen = cdf.received.map(({ type, sessionId, avps }) => {
    const ims = avps.serviceInformation?.imsInformation;
    return { type, sessionId, node: ims?.nodeFunctionality, servers: ims?.serverCapabilities };
  });
  const [event] = seen.filter(({ node }) => node === 2);
  assert.deepEqual(
    [event?.type, event?.servers],
    ["EVENT", { mandatoryCapability: [1], optionalCapability: [2], serverName: ["sip:scscf.example.com"] }],
  );
  for (const node of [0, 5])
    assert.deepEqual(
      seen.filter((one) => one.node === node).map(({ type }) => type),
      ["START", "STOP"],
    );
  assert.equal(new Set(seen.map(({ sessionId }) => sessionId)).size, 3);
});

/** What an operator is told, as id and severity. */
function alarmsOf({ health }: Pick<RalfUnderTest, "health">): string[] {
  return health.alarms
    .active()
    .map(({ problem, perceivedSeverity }) => `${problem.id} ${perceivedSeverity}`)
    .sort();
}

test("while the CDF is away records wait on disk, beyond the end of the process; each is kept once", async (t) => {
  const cdf = await startCdf(t);
  await cdf.down();
  const stateDir = folder(t);
  const first = await startRalf(t, { cdf: cdfOf(cdf.port), stateDir });
  const starts = Array.from({ length: 200 }, () => chargingEvent());
  assert.equal((await first.send(starts)).status, 202);
  await until(() => /no CDF/.test(first.health.notes().join()), "an alarm");
  assert.deepEqual(alarmsOf(first), ["TW-1201 MAJOR", "TW-5001 MAJOR"]);
  await first.stop();
  const second = await startRalf(t, { cdf: cdfOf(cdf.port), stateDir });
  assert.equal((await second.send(starts.map((start) => byeOf(start)))).status, 202);
  await cdf.up();
  await until(() => cdf.records.size === 400, "all records");
  assert.deepEqual(cdf.unmarked, []);
  assert.deepEqual([cdf.of("START").length, cdf.of("STOP").length], [200, 200]);
  const pairs = new Set(cdf.of("START").map(({ sessionId }) => sessionId));
  assert.ok(cdf.of("STOP").every(({ sessionId, number }) => number === 1 && pairs.has(sessionId)));
  await until(() => second.health.notes().length === 0, "the alarm to end");
  assert.deepEqual(alarmsOf(second), []);
});

test("an outage of the CDF is critical from 80 % of the queue on, and so is the end of the queue", async (t) => {
  const cdf = await startCdf(t);
  await cdf.down();
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port), queueLimit: 1_000 });
  const seen: string[] = [];
  for (const [count, total] of [
    [700, 700],
    [100, 800],
    [200, 1_000],
  ] as const) {
    for (let sent = 0; sent < count; sent += 100)
      await ralf.send(Array.from({ length: 100 }, () => chargingEvent()));
    const counted = new RegExp(`^ims_ralf_queued_records ${total}$`, "m");
    for (let turn = 0; turn < 200 && !counted.test(await ralf.metrics()); turn++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    seen.push(alarmsOf(ralf).join(", "));
  }
  assert.deepEqual(seen, [
    "TW-1201 MAJOR, TW-5001 MAJOR",
    "TW-1201 MAJOR, TW-5001 CRITICAL",
    "TW-1201 MAJOR, TW-5001 CRITICAL, TW-5002 CRITICAL",
  ]);
});

test("RFC 6733 §5.5.4: a CDF that hangs is passed over for the secondary one, with the T bit", async (t) => {
  const primary = await startCdf(t, "cdf-1.example.com");
  const secondary = await startCdf(t, "cdf-2.example.com");
  const ralf = await startRalf(t, { cdf: cdfOf(primary.port, secondary.port), cdfTimeoutMs: 200 });
  await ralf.send([chargingEvent()]);
  await until(() => primary.records.size === 1, "the primary one");
  primary.mood = "hang";
  const start = chargingEvent();
  await ralf.send([start, byeOf(start)]);
  await until(() => secondary.records.size === 2, "the secondary one");
  assert.deepEqual(
    secondary.received.map(({ again }) => again),
    [true, true],
  );
  assert.deepEqual(ralf.health.notes(), []);
});

test("a lone CDF that hangs gets the same record again, with the T bit, until it answers", async (t) => {
  const cdf = await startCdf(t);
  cdf.mood = "hang";
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port), cdfTimeoutMs: 100 });
  const start = chargingEvent();
  await ralf.send([start, byeOf(start)]);
  await until(() => cdf.received.length >= 3, "tries");
  assert.match(ralf.health.notes().join(), /no answer in time/);
  cdf.mood = 2001;
  await until(() => cdf.records.size === 2, "both records");
  const [first, ...later] = cdf.received;
  assert.equal(first?.again, false);
  assert.ok(later.filter(({ type }) => type === "START").every(({ again }) => again));
  assert.equal(new Set(cdf.received.map(({ sessionId }) => sessionId)).size, 1);
});

test("RFC 6733 §7.1.5: a record that is refused for good becomes a dead letter with an alarm and blocks nobody", async (t) => {
  const cdf = await startCdf(t);
  cdf.mood = ({ avps }) => (avps.serviceInformation?.imsInformation?.userSessionId === "bad" ? 5004 : 2001);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const bad = chargingEvent({ callId: "bad" });
  const good = chargingEvent();
  await ralf.send([bad, good, byeOf(bad), byeOf(good)]);
  await until(() => cdf.received.length === 4, "all of them");
  await until(() => /2 charging records were refused/.test(ralf.health.notes().join()), "an alarm");
  assert.deepEqual(alarmsOf(ralf), ["TW-5003 MAJOR"]);
  assert.deepEqual(
    [...cdf.records.values()].map(({ type }) => type),
    ["START", "STOP"],
  );
  const shown = (await (await fetch(`${ralf.url}/dead-letters`)).json()) as {
    count: number;
    deadLetters: { recordType: string; callId: string; result: string }[];
  };
  assert.equal(shown.count, 2);
  assert.deepEqual(
    shown.deadLetters.map(({ recordType, callId, result }) => [recordType, callId, result]),
    [
      ["START", "bad", "DIAMETER_INVALID_AVP_VALUE"],
      ["STOP", "bad", "DIAMETER_INVALID_AVP_VALUE"],
    ],
  );
  cdf.mood = 2001;
  assert.equal((await fetch(`${ralf.url}/dead-letters/retry`, { method: "POST" })).status, 204);
  await until(() => cdf.records.size === 4, "the dead letters");
  assert.deepEqual(ralf.health.notes(), []);
});

test("RFC 6733 §7.1.4: OUT_OF_SPACE makes all wait, nothing is given up", async (t) => {
  const cdf = await startCdf(t);
  cdf.mood = 4002;
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  await ralf.send(Array.from({ length: 20 }, () => chargingEvent()));
  await until(() => /OUT_OF_SPACE/.test(ralf.health.notes().join()), "an alarm");
  cdf.mood = 2001;
  await until(() => cdf.records.size === 20, "all records");
  assert.equal(ralf.health.notes().join(), "");
});

test("RFC 6733 §9.8.2: Acct-Interim-Interval of the CDF makes interim records, also after the death of the ralf", async (t) => {
  const cdf = await startCdf(t);
  cdf.interimSeconds = 1;
  const stateDir = folder(t);
  const first = await startRalf(t, { cdf: cdfOf(cdf.port), stateDir });
  const start = chargingEvent();
  await first.send([start]);
  await until(() => cdf.of("INTERIM").length === 1, "the first interim record");
  await first.stop();
  const second = await startRalf(t, { cdf: cdfOf(cdf.port), stateDir });
  // Its date stands in the calendar; the change of the session finds it too.
  await second.send([byeOf(start, { kind: "interim", id: "update", method: "UPDATE" })]);
  await until(() => cdf.of("INTERIM").length >= 3, "further ones");
  await second.send([byeOf(start)]);
  await until(() => cdf.of("STOP").length === 1, "the end");
  const numbers = [...cdf.records.values()].map(({ number }) => number);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
  assert.deepEqual(cdf.unmarked, []);
});

test("RFC 4028 §10: a session whose timer is over and that nobody has ended is ended as lost", async (t) => {
  const cdrDir = folder(t);
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port), cdrDir, maxSessionSeconds: 60 });
  // Longer than the calendar's minute would be too long for a test: the session is late already.
  const { account, accountDue } = await import("../src/accounting/account.ts");
  const options = {
    now: 1_000,
    newSessionId: () => "s",
    interimSeconds: 0,
    maxSessionSeconds: 60,
    again: false,
  };
  const begun = account(undefined, chargingEvent({ sessionExpires: 10 }), options);
  assert.ok(begun.kind === "records");
  const early = accountDue(begun.sessions, { ...options, now: 50_000 });
  assert.ok(early.kind === "records" && early.records.length === 0, "its BYE may still come");
  const late = accountDue(begun.sessions, { ...options, now: 51_000 });
  assert.ok(late.kind === "records");
  assert.deepEqual(
    late.records.map(({ recordType, recordNumber, lost }) => [recordType, recordNumber, lost]),
    [["STOP", 1, true]],
  );
  await ralf.stop();
});

test("CDR files: one JSON line a session or event, by its schema; finished files have their name at once", async (t) => {
  const cdrDir = folder(t);
  const ralf = await startRalf(t, { cdrDir });
  const start = chargingEvent();
  await ralf.send([start, byeOf(start), chargingEvent({ kind: "event", method: "MESSAGE", toTag: "" })]);
  await ralf.send([byeOf(start)], true);
  await until(async () => /ims_ralf_cdrs_total 2/.test(await ralf.metrics()), "two CDRs");
  assert.deepEqual(
    readdirSync(cdrDir).filter((name) => !name.endsWith(".part")),
    [],
  );
  await ralf.stop();
  const [file = "", ...others] = readdirSync(cdrDir);
  assert.deepEqual(others, []);
  assert.match(file, /^cdr-[\w.-]+-\d{8}T\d{6}Z-0001\.jsonl$/);
  const lines = readFileSync(join(cdrDir, file), "utf8").trim().split("\n");
  const cdrs = lines
    .map((line) => cdrSchema.parse(JSON.parse(line)))
    .sort((one, other) => other.record.localeCompare(one.record));
  assert.deepEqual(
    cdrs.map(({ record, callId, icid, seconds, cause, records }) => ({
      record,
      callId,
      icid,
      seconds,
      cause,
      records,
    })),
    [
      { record: "session", callId: start.callId, icid: start.icid, seconds: 5, cause: 0, records: 2 },
      {
        record: "event",
        callId: cdrs[1]?.callId,
        icid: cdrs[1]?.icid,
        seconds: 0,
        cause: -1,
        records: undefined,
      },
    ],
  );
});

test("CDR files: what a killed process left is finished without its torn line, and nothing is written twice", async (t) => {
  const cdrDir = folder(t);
  const stateDir = folder(t);
  const { hostname } = await import("node:os");
  const part = join(cdrDir, `cdr-${hostname()}-20260101T000000Z-0001.jsonl.part`);
  writeFileSync(part, '{"cdr":1,"id":"whole"}\n{"cdr":1,"id":"to');
  const { QueueDatabase } = await import("../src/queue/queue-database.ts");
  const queue = new QueueDatabase(join(stateDir, "charging-queue.db"));
  const cdrs = [
    { id: "whole", line: '{"cdr":1,"id":"whole"}' },
    { id: "torn", line: '{"cdr":1,"id":"torn"}' },
  ];
  await queue.settle(0, [], false, cdrs, Date.now());
  await queue.close();
  const ralf = await startRalf(t, { cdrDir, stateDir });
  await until(async () => /ims_ralf_cdrs_total 1/.test(await ralf.metrics()), "the torn one");
  await ralf.stop();
  const text = readdirSync(cdrDir)
    .sort()
    .map((name) => readFileSync(join(cdrDir, name), "utf8"));
  assert.deepEqual(text, ['{"cdr":1,"id":"whole"}\n', '{"cdr":1,"id":"torn"}\n']);
});

test("a wrong event is refused by itself, a wrong request as a whole, a page in a browser at the door", async (t) => {
  const cdf = await startCdf(t);
  const ralf = await startRalf(t, { cdf: cdfOf(cdf.port) });
  const answer = await ralf.send([{ ...chargingEvent(), time: "now" }, chargingEvent(), null]);
  assert.equal(answer.status, 202);
  const report = (await answer.json()) as { accepted: number; refused: { index: number; problem: string }[] };
  assert.equal(report.accepted, 1);
  assert.deepEqual(
    report.refused.map(({ index }) => index),
    [0, 2],
  );
  assert.match(report.refused[0]?.problem ?? "", /^time: /);
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${ralf.url}/charging-events`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  for (const body of [
    "",
    "[]",
    "{",
    '{"events":[]}',
    '{"events":[1],"__proto__":{}}',
    `{"events":[${"[".repeat(50_000)}`,
  ])
    assert.equal((await post(body)).status, 400, body.slice(0, 40));
  assert.equal((await post(`"${"x".repeat(5_000_000)}"`)).status, 413);
  assert.equal((await post('{"events":[]}', { origin: "http://evil.example" })).status, 403);
  assert.equal((await fetch(`${ralf.url}/nothing`)).status, 404);
});

test("ralf does not start where nothing would be done with what is charged", async (t) => {
  await assert.rejects(startRalf(t, {}), /--cdf, --cdr-dir or both/);
  await assert.rejects(startRalf(t, { cdrDir: "/proc/nothing" }), /--cdr-dir/);
  await assert.rejects(startRalf(t, { cdrDir: folder(t), clients: ["no address"] }), /--clients: no address/);
});

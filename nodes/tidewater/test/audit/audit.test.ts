import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { memoryStore } from "@ims/store";
import { type Audit, compareBindings } from "../../src/audit/compare.ts";
import { readSippTrace } from "../../src/audit/sipp-trace.ts";
import { type BindingSource, type StoredSet, workingSource } from "../../src/audit/stored.ts";
import { readToldLines, type Told } from "../../src/audit/told.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const AOR = "sip:alice@example.com";
const CONTACT = "sip:alice@192.0.2.1:5060";
const rules = { now: NOW, graceMs: 180_000, toleranceMs: 2_000 };

function told(...lines: readonly object[]): Told {
  const read: Told = new Map();
  readToldLines(
    lines.map((line) => JSON.stringify({ aor: AOR, contact: CONTACT, ...line })).join("\n"),
    "file",
    read,
  );
  return read;
}

function source(sets: Readonly<Record<string, StoredSet>>, working = false): BindingSource {
  return {
    name: working ? "memcached" : "Cassandra",
    working,
    read: async (impu) => sets[impu] ?? { kind: "nothing" },
  };
}

function stored(more: { expiresAt: number; cseq?: number; callId?: string; contact?: string }): StoredSet {
  return { kind: "bindings", bindings: [{ contact: CONTACT, callId: "c", cseq: 7, ...more }] };
}

const kinds = ({ findings }: Audit): string[] => findings.map(({ kind, store }) => `${kind} ${store}`);
const live = { expiresAt: NOW + 600_000, callId: "c", cseq: 7, at: NOW - 1 };

test("what is stored as it was acknowledged is no finding, also by an alias of the set", async () => {
  const sets = {
    [AOR]: { kind: "alias", of: "sip:al@example.com" },
    "sip:al@example.com": stored(live),
  } as const;
  const audit = await compareBindings(told(live), [source(sets, true), source(sets)], rules);
  assert.deepEqual(audit, { identities: 1, bindings: 1, notInWorkingCopy: 0, findings: [] });
});

test("a binding is lost where it is not, but for a working copy that says nothing beside a durable one", async () => {
  const nothing = source({}, true);
  const full = source({ [AOR]: stored(live) });
  assert.deepEqual(kinds(await compareBindings(told(live), [nothing], rules)), ["lost memcached"]);
  assert.deepEqual(kinds(await compareBindings(told(live), [source({})], rules)), ["lost Cassandra"]);
  const both = await compareBindings(told(live), [nothing, full], rules);
  assert.deepEqual([both.notInWorkingCopy, both.findings], [1, []]);
  const denied = source({ [AOR]: { kind: "none" } }, true);
  assert.deepEqual(kinds(await compareBindings(told(live), [denied, full], rules)), ["lost memcached"]);
  // What has expired need not be there.
  assert.deepEqual(
    (await compareBindings(told({ ...live, expiresAt: NOW - 1 }), [source({})], rules)).findings,
    [],
  );
});

test("a set that has ended is none, also while its subscribers have still to be told", async () => {
  const store = memoryStore({ clock: fakeClock() });
  const row = [CONTACT, "", "a@example.com", "c", 8, NOW + 600_000];
  const value = Buffer.from(`${JSON.stringify({ v: 1, i: AOR, s: 2, g: "unregistered", b: [row] })}\n<xml/>`);
  await store.put("registration", AOR, value, { ifVersion: "absent", ttlSeconds: 60 });
  const removed = told({ expiresAt: 0, callId: "c", cseq: 9, at: NOW - 5_000 });
  assert.deepEqual((await compareBindings(removed, [workingSource(store)], rules)).findings, []);
});

test("a removed binding that is there is resurrected, unless a later REGISTER brought it back", async () => {
  const removed = told({ expiresAt: 0, callId: "c", cseq: 8, at: NOW - 5_000 });
  assert.deepEqual(kinds(await compareBindings(removed, [source({ [AOR]: stored(live) })], rules)), [
    "resurrected Cassandra",
  ]);
  const later = source({ [AOR]: stored({ ...live, cseq: 9 }) });
  assert.deepEqual((await compareBindings(removed, [later], rules)).findings, []);
  assert.deepEqual((await compareBindings(removed, [source({})], rules)).findings, []);
});

test("another expiry or an older REGISTER differs; a newer one than the file knows does not", async () => {
  const audit = (more: object) =>
    compareBindings(told(live), [source({ [AOR]: stored({ ...live, ...more }) })], rules);
  assert.deepEqual(kinds(await audit({ expiresAt: live.expiresAt + 1_999 })), []);
  assert.deepEqual(kinds(await audit({ expiresAt: live.expiresAt - 60_000 })), ["differing Cassandra"]);
  assert.deepEqual(kinds(await audit({ cseq: 6 })), ["differing Cassandra"]);
  assert.deepEqual(kinds(await audit({ cseq: 8, expiresAt: live.expiresAt + 60_000 })), []);
});

test("a binding that should have lapsed long ago is found, one that is just lapsing is not", async () => {
  const audit = (expiresAt: number) =>
    compareBindings(told({ ...live, expiresAt }), [source({ [AOR]: stored({ ...live, expiresAt }) })], rules);
  assert.deepEqual(kinds(await audit(NOW - 60_000)), []);
  assert.deepEqual(kinds(await audit(NOW - 600_000)), ["expired Cassandra"]);
});

test("a store that does not answer is an error, rubbish in it a finding", async () => {
  const away = source({ [AOR]: { kind: "unavailable", cause: "gone" } });
  await assert.rejects(compareBindings(told(live), [away], rules), {
    message: "Cassandra does not answer: gone",
  });
  const clock = fakeClock();
  const store = memoryStore({ clock });
  await store.put("registration", AOR, Buffer.from("\0rubbish"), { ifVersion: "absent", ttlSeconds: 60 });
  const audit = await compareBindings(told(live), [workingSource(store)], rules);
  assert.deepEqual(kinds(audit), ["unreadable memcached"]);
});

test("a line that is none is named", () => {
  for (const wrong of [
    "{",
    "7",
    "null",
    '{"aor":"sip:a"}',
    '{"aor":"sip:a","contact":"sip:b","expiresAt":"soon"}',
  ])
    assert.throws(() => readToldLines(`\n${wrong}\n`, "told.jsonl", new Map()), {
      message: /^told\.jsonl, line 2: write /,
    });
});

test("RFC 3261 §10.3: the 200s of a SIPp trace say which contacts there are, and which no longer", () => {
  const response = (time: string, status: string, cseq: string, contacts: readonly string[]): string =>
    [
      `----------------------------------------------- 2026-01-01 ${time}`,
      "UDP message received [300] bytes :",
      "",
      `SIP/2.0 ${status}`,
      `To: "Alice" <${AOR}>;tag=1`,
      `CSeq: ${cseq}`,
      ...contacts.map((contact) => `Contact: ${contact}`),
      "Content-Length: 0",
      "",
    ].join("\r\n");
  const read: Told = new Map();
  const count = readSippTrace(
    [
      response("11:00:00.500000", "401 Unauthorized", "1 REGISTER", [`<${CONTACT}>;expires=600`]),
      response("11:00:01.000000", "200 OK", "2 REGISTER", [
        `<${CONTACT}>;q=0.5;expires=600, <sip:b@h>;expires=60`,
      ]),
      response("11:00:02.000000", "200 OK", "3 INVITE", ["<sip:c@h>"]),
      response("11:00:03.000000", "200 OK", "4 REGISTER", ["<sip:b@h>;expires=3600"]),
    ].join("\n"),
    read,
  );
  assert.equal(count, 2);
  const at = Date.UTC(2026, 0, 1, 11, 0, 3);
  const unknown = { callId: undefined, cseq: undefined };
  assert.deepEqual(
    [...(read.get(AOR)?.values() ?? [])],
    [
      { contact: CONTACT, expiresAt: 0, at, ...unknown },
      { contact: "sip:b@h", expiresAt: at + 3_600_000, at, ...unknown },
    ],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuditEntry, auditEntrySchema } from "@ims/api";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import fastify from "fastify";
import { auditing } from "../../src/http/audit.ts";
import { PASSWORD, startEllis } from "../support/ellis-under-test.ts";

const K = "465b5ce8b199b49faa5f0a2ee238a6bc";
const OPC = "cd63cb71954a9f4e48a5994e37a02baf";
const ALICE = {
  impi: "alice@example.com",
  publicIdentities: [{ impu: "sip:alice@example.com" }],
  credentials: { k: K, opc: OPC, password: "told to nobody" },
};

test("the audit log says who did what to whom, from where and how it ended, and never a secret", async (t) => {
  const ellis = await startEllis(t);
  const { ask, staff, signUp, key } = ellis;
  const [admin, viewer, user] = [
    await staff("administrator"),
    await staff("viewer"),
    await signUp("u@example.com"),
  ];
  await ask("POST", "/staff/subscribers", { session: admin, json: ALICE });
  await ask("PATCH", `/staff/subscribers/${ALICE.impi}`, {
    ...{ session: admin, json: { credentials: { k: K, op: OPC } } },
  });
  await ask("DELETE", `/staff/subscribers/${ALICE.impi}`, { session: viewer });
  await ask("DELETE", `/staff/subscribers/${ALICE.impi}`, { session: user });
  await ask("DELETE", `/staff/subscribers/${ALICE.impi}`);
  await ask("POST", "/session", { form: { email: "viewer@example.com", password: "a guess" } });
  await ask("DELETE", `/staff/subscribers/nobody@example.com`, { key });
  ellis.homestead.behave("fails");
  await ask("DELETE", `/staff/subscribers/${ALICE.impi}`, { key });
  await ellis.clock.advanceAsync(1_000);
  const page = await ask("GET", "/staff/audit", { session: admin });
  assert.equal(page.status, 200);
  for (const secret of [K, OPC, "told to nobody", PASSWORD, "a guess", key])
    assert.equal(page.text.includes(secret), false);
  const entries = (page.json["entries"] as unknown[]).map((each) => auditEntrySchema.parse(each));
  const shown = entries
    .map(({ who, action, target, outcome, status }) => [who, action, target, outcome, status])
    .toReversed();
  // What is refused to those who have not proven to be staff is written a moment later.
  assert.deepEqual(shown.splice(-3), [
    ["u@example.com", "subscriber.delete", undefined, "refused", 403],
    ["", "subscriber.delete", undefined, "refused", 403],
    ["viewer@example.com", "login", undefined, "refused", 403],
  ]);
  assert.deepEqual(shown, [
    ["api-key", "staff.add", "administrator@example.com", "done", 201],
    ["administrator@example.com", "login", undefined, "done", 201],
    ["api-key", "staff.add", "viewer@example.com", "done", 201],
    ["viewer@example.com", "login", undefined, "done", 201],
    ["administrator@example.com", "subscriber.add", ALICE.impi, "done", 201],
    ["administrator@example.com", "subscriber.change", ALICE.impi, "done", 200],
    ["viewer@example.com", "subscriber.delete", undefined, "refused", 403],
    ["api-key", "subscriber.delete", "nobody@example.com", "refused", 404],
    ["api-key", "subscriber.delete", ALICE.impi, "failed", 502],
  ]);
  assert.ok(entries.every(({ from }) => from === "127.0.0.1"));
  const [added, changed] = entries
    .filter(({ who }) => who.startsWith("admin"))
    .toReversed()
    .slice(1);
  assert.deepEqual(
    [added?.role, added?.detail],
    ["administrator", "sip:alice@example.com; password, k, opc"],
  );
  assert.equal(changed?.detail, "credentials: k, op");
});

test("it is read by administrators, filtered and page by page, or all of it as JSON lines", async (t) => {
  const { ask, staff, key, clock } = await startEllis(t);
  const session = await staff("administrator");
  const start = new Date(clock.now()).toISOString();
  for (let at = 0; at < 7; at++) {
    clock.advance(1_000);
    await ask("DELETE", `/staff/subscribers/n${at}@example.com`, { key });
  }
  const targets: unknown[] = [];
  let next: unknown;
  do {
    const query = new URLSearchParams({
      limit: "3",
      action: "subscriber",
      ...(next ? { before: `${next}` } : {}),
    });
    const { json } = await ask("GET", `/staff/audit?${query}`, { session });
    const entries = json["entries"] as { readonly target: string }[];
    assert.ok(entries.length <= 3);
    targets.push(...entries.map(({ target }) => target));
    next = json["next"];
  } while (next !== undefined);
  assert.deepEqual(
    targets,
    ["n6", "n5", "n4", "n3", "n2", "n1", "n0"].map((name) => `${name}@example.com`),
  );
  const count = async (query: Record<string, string>): Promise<number> => {
    const { json } = await ask("GET", `/staff/audit?${new URLSearchParams(query)}`, { session });
    return (json["entries"] as unknown[]).length;
  };
  assert.equal(await count({ who: "api-key" }), 8);
  assert.equal(await count({ outcome: "refused", target: "n3@" }), 1);
  assert.equal(await count({ who: "", action: "login" }), 1);
  assert.equal(await count({ until: start }), 2);
  assert.equal(await count({ from: new Date(clock.now()).toISOString() }), 1);
  const lines = await ask("GET", "/staff/audit.jsonl?outcome=refused", { session });
  assert.equal(lines.headers.get("content-type"), "application/jsonl");
  assert.match(lines.headers.get("content-disposition") ?? "", /attachment; filename="audit.jsonl"/);
  const read = lines.text.trimEnd().split("\n");
  assert.equal(read.map((line) => auditEntrySchema.parse(JSON.parse(line))).length, 7);
  for (const query of ["before=x", "limit=0", "outcome=nice", "from=yesterday"])
    assert.equal((await ask("GET", `/staff/audit?${query}`, { session })).status, 400, query);
});

test("refusals do not fill the log: those that are too many are counted", async (t) => {
  const { ask, key, staff, clock } = await startEllis(t);
  const session = await staff("viewer");
  for (let at = 0; at < 130; at++) await ask("DELETE", "/staff/subscribers/x@y.z", { session });
  clock.advance(60_000);
  await ask("DELETE", "/staff/subscribers/x@y.z", { session });
  const { json } = await ask("GET", "/staff/audit?limit=200", { key });
  const entries = json["entries"] as { readonly missed?: number; readonly outcome: string }[];
  assert.equal(entries.filter(({ outcome }) => outcome === "refused").length, 121);
  assert.equal(entries[0]?.missed, 10);
});

test("strangers take a bounded part of the log, from however many addresses; what is refused to staff meanwhile is all there", async (t) => {
  const { ask, key, staff, clock } = await startEllis(t, { trustedProxies: ["127.0.0.1"] });
  const [viewer, other] = [await staff("viewer"), await staff("viewer", "vera@example.com")];
  const refused = (session: string, name: string) => ask("DELETE", `/staff/subscribers/${name}`, { session });
  for (let at = 0; at < 600; at++) {
    const headers = { "x-forwarded-for": `192.0.2.${at % 200}` };
    await ask("DELETE", "/staff/subscribers/x@y.z", { headers });
    if (at % 20 === 0)
      await ask("POST", "/session", { headers, form: { email: "vera@example.com", password: "a guess" } });
    if (at % 10 === 0) await refused(viewer, `v${at}@y.z`);
  }
  // One of the staff takes nothing from another one either.
  for (let at = 0; at < 130; at++) await refused(other, "x@y.z");
  await refused(viewer, "last@y.z");
  await clock.advanceAsync(600_000);
  const entries: AuditEntry[] = [];
  let next: unknown;
  do {
    const { json } = await ask("GET", `/staff/audit?limit=200${next ? `&before=${next}` : ""}`, { key });
    entries.push(...(json["entries"] as AuditEntry[]));
    next = json["next"];
  } while (next !== undefined);
  const ofStaff = entries.filter(({ who, action }) => who === "viewer@example.com" && action !== "login");
  assert.equal(ofStaff.length, 61);
  assert.equal(
    ofStaff.some(({ missed }) => missed !== undefined),
    false,
  );
  const strangers = entries.filter(
    ({ who, action, outcome }) => who === "" || (action === "login" && outcome === "refused"),
  );
  assert.ok(strangers.length <= 33, String(strangers.length));
  const counted = strangers.reduce((sum, { repeated }) => sum + (repeated ?? 1), 0);
  assert.equal(counted, 630);
  const others = strangers.find(({ action }) => action === "others");
  assert.match(others?.detail ?? "", /^(?=.*subscriber\.delete \d+)(?=.*login \d+).*; as vera@example\.com$/);
});

test("whether a guess was at the name of somebody of the staff is not told by the time of the answer: it waits for no log", async (t) => {
  const app = fastify();
  t.after(() => app.close());
  const added: AuditEntry[] = [];
  auditing(app, {
    audit: { append: () => new Promise(() => undefined) },
    strangers: { add: (entry) => void added.push(entry) },
    ...{ clock: fakeClock(), log: memoryLogger("trace") },
  });
  app.post("/session", async (request, reply) => {
    request.audit = { action: "login", who: "ann@example.com", role: "operator", isStaff: false };
    return reply.code(403).send();
  });
  assert.equal((await app.inject({ method: "POST", url: "/session" })).statusCode, 403);
  assert.deepEqual(
    added.map(({ who, status }) => [who, status]),
    [["ann@example.com", 403]],
  );
});

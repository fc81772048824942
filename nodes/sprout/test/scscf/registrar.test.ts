import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, PATH } from "../support/bench.ts";

const TRUSTED = authorization("alice@example.com");

function authorization(impi: string): string {
  return `Digest username="${impi}",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected="ip-assoc-yes"`;
}

/** A further REGISTER of a UE that is registered. */
function again(b: Bench, fields: Parameters<Bench["register"]>[0]): Promise<SipMessage> {
  return b.exchange(b.register({ authorization: TRUSTED, ...fields }));
}

test("RFC 3261 §10.3: several contacts of one user are kept, and every 200 lists them all", async () => {
  const b = benchWithUsers();
  await b.registered({ contact: "<sip:alice@192.0.2.1>;q=0.5" });
  const response = await again(b, { contact: "<sip:alice@192.0.2.9>;expires=120;+g.x" });
  assert.deepEqual(response.values("Contact"), [
    "<sip:alice@192.0.2.1>;q=0.5;expires=3600",
    "<sip:alice@192.0.2.9>;+g.x;expires=120",
  ]);
  await b.advance(60_000);
  const fetched = await again(b, { contact: null });
  assert.deepEqual(fetched.values("Contact"), [
    "<sip:alice@192.0.2.1>;q=0.5;expires=3540",
    "<sip:alice@192.0.2.9>;+g.x;expires=60",
  ]);
});

test("RFC 3261 §10.3 step 7: two contacts in one REGISTER", async () => {
  const b = benchWithUsers();
  const response = await b.registered({
    contact: "<sip:alice@192.0.2.1>, <sip:alice@192.0.2.2;transport=tcp>;expires=90",
  });
  assert.equal(response.values("Contact").length, 2);
});

test("RFC 3261 §10.3: an interval too brief is answered 423, one too long is shortened, 0 removes", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register({ expires: 10 }));
  const brief = await b.exchange(b.register({ expires: 10, authorization: b.answerTo(challenged) }));
  assert.equal(brief.status, 423);
  assert.equal(brief.header("Min-Expires"), "60");
  const long = await b.registered({ expires: 100_000 });
  assert.match(long.header("Contact") ?? "", /;expires=3600$/);
  b.cx.taken();
  const gone = await again(b, { expires: 0 });
  assert.equal(gone.status, 200);
  assert.equal(gone.has("Contact"), false);
  assert.deepEqual(b.cx.taken(), ["UAR", "SAR USER_DEREGISTRATION"]);
});

test("TS 24.229 §5.4.1.4: Contact * with Expires 0 removes every contact; anything else with it is malformed", async () => {
  const b = benchWithUsers();
  await b.registered({ contact: "<sip:alice@192.0.2.1>, <sip:alice@192.0.2.2>" });
  b.cx.taken();
  assert.equal((await again(b, { contact: "*", expires: 60 })).status, 400);
  assert.equal((await again(b, { contact: "*, <sip:a@b>", expires: 0 })).status, 400);
  b.cx.taken();
  const gone = await again(b, { contact: "*", expires: 0 });
  assert.equal(gone.status, 200);
  assert.equal(gone.has("Contact"), false);
  assert.deepEqual(b.cx.taken(), ["UAR", "SAR USER_DEREGISTRATION"]);
});

test("TS 24.229 §5.4.1.4: who is not registered may deregister, and nothing happens", async () => {
  const b = benchWithUsers();
  const response = await b.registered({ expires: 0 });
  assert.equal(response.status, 200);
  assert.deepEqual(b.cx.taken().includes("SAR USER_DEREGISTRATION"), false);
});

test("RFC 3261 §10.3 step 7: a REGISTER with an old CSeq of the same Call-ID changes nothing", async () => {
  const b = benchWithUsers();
  await b.registered({ cseq: 10 });
  assert.equal((await again(b, { cseq: 9, expires: 0 })).status, 500);
  assert.equal((await again(b, { contact: null })).values("Contact").length, 1);
  assert.equal((await again(b, { cseq: 11, expires: 0 })).status, 200);
});

test("TS 24.229 §5.4.1.2.2: too many contacts of one set are refused", async () => {
  const b = benchWithUsers();
  await b.registered({
    contact: [1, 2, 3, 4].map((n) => `<sip:alice@192.0.2.${n}>`).join(", "),
  });
  assert.equal((await again(b, { contact: "<sip:alice@192.0.2.5>" })).status, 403);
  assert.equal((await again(b, { contact: "<sip:alice@192.0.2.4>" })).status, 200);
});

test("RFC 3261 §10.3 step 2: an option nobody knows is answered 420", async () => {
  const b = benchWithUsers();
  const response = await b.exchange(b.register({ headers: ["Require: path, teleport"] }));
  assert.equal(response.status, 420);
  assert.equal(response.header("Unsupported"), "teleport");
});

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"';

test("RFC 5626 §6: instance and reg-id make the binding; a new flow replaces the old one of its reg-id", async () => {
  const b = benchWithUsers();
  const outbound = { headers: ["Supported: path, outbound"] };
  const first = await b.registered({
    contact: `<sip:alice@192.0.2.1:1111>;reg-id=1;${INSTANCE}`,
    ...outbound,
  });
  assert.equal(first.header("Require"), "outbound");
  await again(b, { contact: `<sip:alice@192.0.2.1:2222>;reg-id=2;${INSTANCE}`, ...outbound });
  const moved = await again(b, { contact: `<sip:alice@192.0.2.1:3333>;reg-id=1;${INSTANCE}`, ...outbound });
  assert.deepEqual(
    moved.values("Contact").map((value) => /:(\d{4})>/.exec(value)?.[1]),
    ["3333", "2222"],
  );
});

test("RFC 5626 §6: a first hop without outbound support is answered 439", async () => {
  const b = benchWithUsers();
  const fields = {
    contact: `<sip:alice@192.0.2.1:1111>;reg-id=1;${INSTANCE}`,
    path: "<sip:token@127.0.0.1:5058;transport=tcp;lr>",
    headers: ["Supported: path, outbound"],
  };
  const challenged = await b.exchange(b.register(fields));
  const response = await b.exchange(b.register({ ...fields, authorization: b.answerTo(challenged) }));
  assert.equal(response.status, 439);
});

test("TS 24.229 §5.4.1.2.2: without reg-id a UE that comes from a new address has one contact, the new one", async () => {
  const b = benchWithUsers();
  await b.registered({ contact: `<sip:alice@192.0.2.1:1111>;${INSTANCE}` });
  const moved = await again(b, { contact: `<sip:alice@192.0.2.1:2222>;${INSTANCE}` });
  assert.equal(moved.values("Contact").length, 1);
  assert.match(moved.header("Contact") ?? "", /:2222>/);
});

test("TS 24.229 §5.4.1.2.2F: barred identities are not in P-Associated-URI; a set of barred ones cannot be registered", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push(
    { impi: "carol@example.com", impus: ["!sip:carol@example.com", "sip:caroline@example.com"] },
    { impi: "dave@example.com", impus: ["!sip:dave@example.com"] },
  );
  const carol = await b.registered({ impu: "sip:carol@example.com" }, { username: "carol@example.com" });
  assert.equal(carol.header("P-Associated-URI"), "<sip:caroline@example.com>");
  const challenged = await b.exchange(b.register({ impu: "sip:dave@example.com" }));
  const dave = await b.exchange(
    b.register({
      impu: "sip:dave@example.com",
      authorization: b.answerTo(challenged, { username: "dave@example.com" }),
    }),
  );
  assert.equal(dave.status, 403);
});

test("TS 24.229 §5.4.1.2.2F: the set is registered by any of its identities", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    impi: "carol@example.com",
    impus: ["sip:carol@example.com", "sip:cc@example.com"],
  });
  const keys = { username: "carol@example.com" };
  const credentials = authorization("carol@example.com");
  const challenged = await b.exchange(b.register({ impu: "sip:cc@example.com", authorization: credentials }));
  assert.equal(challenged.status, 401);
  await b.exchange(b.register({ impu: "sip:cc@example.com", authorization: b.answerTo(challenged, keys) }));
  const fetched = await b.exchange(
    b.register({ impu: "sip:carol@example.com", contact: null, authorization: credentials }),
  );
  assert.equal(fetched.values("Contact").length, 1, String(fetched));
});

test("TS 29.228 §6.1.2: an HSS that refuses the assignment makes 403, one that is silent 500, and nothing is written", async () => {
  const b = benchWithUsers();
  for (const [outcome, status] of [
    [{ kind: "rejected", reason: "inAssignmentType" }, 403],
    [{ kind: "unavailable", cause: "timeout" }, 500],
  ] as const) {
    const challenged = await b.exchange(b.register());
    b.cx.next.SAR.push(outcome);
    const response = await b.exchange(b.register({ authorization: b.answerTo(challenged) }));
    assert.equal(response.status, status);
  }
  b.cx.taken();
  await b.registered();
  assert.deepEqual(b.cx.taken().at(-1), "SAR REGISTRATION");
});

for (const hss of ["has taken note of it", "has not"])
  test(`TS 24.229 §5.4.1.4: who leaves while the HSS does not answer has left, when the HSS ${hss}; it hears of it when it answers again`, async () => {
    const told: string[] = [];
    const b = benchWithUsers({
      listeners: [{ registered: () => told.push("registered"), deregistered: () => told.push("gone") }],
    });
    b.cx.knowsWhoIsRegistered = true;
    await b.registered();
    if (hss === "has taken note of it") b.cx.servers.delete("sip:alice@example.com");
    b.cx.taken();
    const silent = { kind: "unavailable", cause: "timeout" } as const;
    b.cx.next.SAR.push(silent, silent, silent);
    const gone = await again(b, { expires: 0 });
    assert.equal(gone.status, 200);
    assert.deepEqual(gone.values("Contact"), []);
    // The answer got lost, and the UE comes once more.
    const once = await again(b, { expires: 0 });
    assert.equal(once.status, 200);
    const ask = { uri: "sip:alice@example.com", headers: ["Route: <sip:127.0.0.1:5052;transport=tcp;lr>"] };
    assert.equal(
      (await b.exchange(b.request("MESSAGE", ask))).status,
      480,
      "nobody is called there any more",
    );
    assert.deepEqual(told, ["registered"]);
    await b.advance(120_000);
    assert.equal(
      b.cx
        .taken()
        .filter((one) => one.startsWith("SAR"))
        .at(-1),
      "SAR TIMEOUT_DEREGISTRATION",
    );
    assert.equal(b.cx.servers.get("sip:alice@example.com"), undefined);
    assert.deepEqual(told, ["registered", "gone"], "once");
    await b.advance(600_000);
    assert.deepEqual(b.cx.taken(), []);
  });

test("TS 24.229 §5.4.1.2.2: who comes back before the HSS has heard that he left is registered there again", async () => {
  const b = benchWithUsers();
  await b.registered({ contact: "<sip:alice@192.0.2.1>" });
  b.cx.next.SAR.push({ kind: "unavailable", cause: "Result-Code 5012", answered: true });
  assert.equal((await again(b, { contact: "<sip:alice@192.0.2.1>", expires: 0 })).status, 200);
  b.cx.taken();
  const back = await b.registered({ contact: "<sip:alice@192.0.2.2>", expires: 100 });
  assert.deepEqual(back.values("Contact"), ["<sip:alice@192.0.2.2>;expires=100"]);
  await b.advance(60_000);
  assert.deepEqual(
    b.cx.taken().filter((one) => one.startsWith("SAR")),
    ["SAR REGISTRATION"],
  );
});

test("TS 29.228 §6.1.2: the profile is fetched once, re-registrations say that it is known", async () => {
  const b = benchWithUsers();
  await b.registered();
  await again(b, {});
  const assignments = b.cx.calls.filter((call) => call.command === "SAR");
  assert.deepEqual(
    assignments.map((call) => call.command === "SAR" && call.query.profileKnown),
    [false, true],
  );
});

test("TS 24.229 §5.4.1.4: registrations lapse by themselves, each in its time, and the HSS hears of the last", async () => {
  const events: string[] = [];
  const b = benchWithUsers({
    listeners: [
      {
        registered: ({ impu, bindings }, initial) => events.push(`${impu} ${bindings.length} ${initial}`),
        deregistered: (impu) => events.push(`${impu} gone`),
      },
    ],
  });
  await b.registered({ contact: "<sip:alice@192.0.2.1>;expires=100, <sip:alice@192.0.2.2>;expires=200" });
  await b.registered(BOB, BOB_KEYS);
  b.cx.taken();
  await b.advance(101_000);
  assert.deepEqual(b.cx.taken(), []);
  const fetched = await again(b, { contact: null });
  assert.equal(fetched.values("Contact").length, 1);
  b.cx.taken();
  await b.advance(101_000);
  assert.deepEqual(b.cx.taken(), ["SAR TIMEOUT_DEREGISTRATION"]);
  assert.deepEqual(events, [
    "sip:alice@example.com 2 true",
    "sip:bob@example.com 1 true",
    "sip:alice@example.com 1 false",
    "sip:alice@example.com gone",
  ]);
});

test("a refreshed registration does not lapse at its old time", async () => {
  const b = benchWithUsers();
  await b.registered({ expires: 100 });
  await b.advance(60_000);
  await again(b, { expires: 100 });
  b.cx.taken();
  await b.advance(60_000);
  assert.deepEqual(b.cx.taken(), []);
  await b.advance(60_000);
  assert.deepEqual(b.cx.taken(), ["SAR TIMEOUT_DEREGISTRATION"]);
});

test("a lapse that the HSS cannot be told of is tried again", async () => {
  const b = benchWithUsers();
  await b.registered({ expires: 60 });
  b.cx.taken();
  b.cx.next.SAR.push({ kind: "unavailable", cause: "timeout" });
  await b.advance(62_000);
  await b.advance(31_000);
  assert.deepEqual(b.cx.taken(), ["SAR TIMEOUT_DEREGISTRATION", "SAR TIMEOUT_DEREGISTRATION"]);
});

test("RFC 3327 §5.3: a contact keeps the Path it came by", async () => {
  const b = benchWithUsers();
  const response = await b.registered({ path: `${PATH}, <sip:ibcf.example.net;lr;ob>` });
  assert.deepEqual(response.values("Path"), [PATH, "<sip:ibcf.example.net;lr;ob>"]);
});

test("two UEs of one user that register at the same moment are both kept", async () => {
  const b = benchWithUsers();
  await b.registered();
  for (const n of [2, 3])
    b.toIcscf.receive(
      b.register({ contact: `<sip:alice@192.0.2.${n}>`, callId: `ue-${n}`, authorization: TRUSTED }),
    );
  assert.deepEqual(
    (await b.settled()).map(({ status }) => status),
    [200, 200],
  );
  assert.equal((await again(b, { contact: null })).values("Contact").length, 3);
});

test("RFC 5627 §5.1: a UE that supports GRUUs gets a public and a temporary one", async () => {
  const b = benchWithUsers();
  const response = await b.registered({
    contact: `<sip:alice@192.0.2.1>;${INSTANCE}`,
    headers: ["Supported: path, gruu"],
  });
  const contact = response.header("Contact") ?? "";
  assert.match(
    contact,
    /;pub-gruu="sip:alice@example\.com;gr=urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"/,
  );
  assert.match(contact, /;temp-gruu="sip:tgruu\.[\w-]+@example\.com;gr"/);
});

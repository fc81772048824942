import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Members } from "../support/members.ts";

const ALICE = { impi: "alice@example.com", impus: ["sip:alice@example.com", "tel:+15550001"] };

function pool(t: TestContext): Members {
  const members = new Members(t);
  members.cx.subscribers.push(ALICE);
  return members;
}

const comparable = (text: string): string =>
  text
    .replace(/^Date: .*\r\n/m, "")
    .replace(/^Via: .*\r\n/gm, "")
    .replace(/rspauth="\w+"/, "")
    .replace(/;tag=[^\r\n;]*/g, "");

test("a REGISTER that another member had begun is finished without a second effect, wherever that one died", async (t) => {
  let reference = "";
  let steps = 0;
  for (let n = -1; n < steps || n < 0; n++) {
    const members = pool(t);
    const told: string[] = [];
    const listeners = [
      {
        registered: (_: unknown, initial: boolean) => void told.push(initial ? "initial" : "refresh"),
        deregistered: () => void told.push("gone"),
      },
    ];
    const first = members.start({ listeners });
    const second = members.start({ listeners });
    const fields = { callId: "one", expires: 600 };
    const challenged = await first.exchange(first.register({ ...fields, cseq: 1 }));
    const request = first.register({ ...fields, cseq: 2, authorization: first.answerTo(challenged) });
    members.cx.taken();
    first.life.operations.length = 0;
    if (n >= 0) first.life.livesFor = n;
    const answered = await first.send(request);
    if (n < 0) {
      steps = first.life.operations.length;
      assert.ok(steps > 5, `${first.life.operations}`);
      assert.equal(answered[0]?.status, 200);
      reference = comparable(String(answered[0]));
    } else assert.deepEqual(answered, [], `step ${n}`);
    const assignedBefore = members.cx.taken().filter((one) => one.startsWith("SAR"));

    // The edge proxy resends the very same request.
    const [accepted] = await second.send(request);
    assert.equal(comparable(String(accepted)), reference, `step ${n}`);
    const assigned = members.cx.taken().filter((one) => one.startsWith("SAR"));
    const found = await second.send(
      second.register({
        contact: null,
        cseq: 3,
        authorization: second.answerTo(challenged, { nc: "00000002" }),
      }),
    );
    assert.equal(found[0]?.values("Contact").length, 1);
    // Between the SAR and the first trace of it in a store the HSS alone knows: there, and only there, it is told again.
    const written = first.life.operations.includes("working put registration");
    assert.deepEqual(assigned, written && n !== first.life.operations.length ? [] : assigned, `step ${n}`);
    if (n < 0) assert.deepEqual([assignedBefore, assigned], [["SAR REGISTRATION"], []]);
    for (const one of [...assignedBefore, ...assigned]) assert.equal(one, "SAR REGISTRATION");
    assert.equal(told.filter((one) => one === "initial").length <= 1, true, `step ${n}: ${told}`);
    members.forget();
    const later = await second.send(
      second.register({
        contact: null,
        cseq: 4,
        authorization: second.answerTo(challenged, { nc: "00000003" }),
      }),
    );
    assert.equal(later[0]?.status, 401, "the challenge went with memcached");
    assert.ok((await members.rows.read("sip:alice@example.com")).kind === "found");
  }
});

test("RFC 3261 §10.3: a repeated REGISTER is the same request and no other", async (t) => {
  const members = pool(t);
  const [first, second] = [members.start(), members.start()];
  const fields = { callId: "one", expires: 600, cseq: 2 };
  const challenged = await first.exchange(first.register({ ...fields, cseq: 1 }));
  const authorization = first.answerTo(challenged);
  assert.equal((await first.exchange(first.register({ ...fields, authorization }))).status, 200);
  const status = async (more: Parameters<typeof second.register>[0]): Promise<number> =>
    (await second.exchange(second.register({ ...fields, authorization, ...more }))).status;
  assert.equal(await status({}), 200);
  // The same credentials for something else are spent.
  assert.equal(await status({ contact: "<sip:mallory@192.0.2.66>" }), 401);
  assert.equal(await status({ path: "<sip:other@127.0.0.1:5058;lr;ob>" }), 401);
  assert.equal(await status({ expires: 0 }), 401);
  assert.equal(await status({ cseq: 3 }), 401);
  assert.equal(await status({ callId: "two" }), 401);
  members.cx.taken();
  assert.equal(await status({}), 200);
  assert.deepEqual(
    members.cx.taken().filter((one) => one.startsWith("SAR")),
    [],
  );
});

test("a deregistration that another member had begun is finished, and is durable before it is answered", async (t) => {
  let steps = 0;
  for (let n = -1; n < steps || n < 0; n++) {
    const members = pool(t);
    members.cx.knowsWhoIsRegistered = true;
    const [first, second] = [members.start(), members.start()];
    await first.registered({ callId: "one" });
    const challenged = await first.exchange(first.register({ callId: "one", cseq: 50 }));
    const request = first.register({
      callId: "one",
      cseq: 51,
      expires: 0,
      authorization: first.answerTo(challenged),
    });
    first.life.operations.length = 0;
    if (n >= 0) first.life.livesFor = n;
    await first.send(request);
    if (n < 0) steps = first.life.operations.length;
    const [accepted] = await second.send(request);
    assert.equal(accepted?.status, 200, `step ${n} of ${steps}`);
    assert.deepEqual(accepted.values("Contact"), []);
    members.forget();
    assert.deepEqual(members.cx.servers.get("sip:alice@example.com"), undefined, `step ${n}`);
    const called = await second.exchange(
      second.request("MESSAGE", {
        uri: "sip:alice@example.com",
        headers: ["Route: <sip:127.0.0.1:5052;transport=tcp;lr>"],
      }),
    );
    assert.equal(called.status, 480, `step ${n}: nobody is called there any more`);
  }
});

test("TS 24.229 §5.3.1.2: a deregistration comes again after it has had its effect: 200 for who proves himself or is vouched for, else 403", async (t) => {
  const members = pool(t);
  members.cx.knowsWhoIsRegistered = true;
  const [first, second] = [members.start(), members.start()];
  await first.registered({ callId: "one" });
  const challenged = await first.exchange(first.register({ callId: "one", cseq: 50 }));
  const fields = { callId: "one", expires: 0 };
  const answering = (nc: string): string => first.answerTo(challenged, { nc });
  const removal = { ...fields, cseq: 51, authorization: answering("00000001") };
  assert.equal((await first.exchange(first.register(removal))).status, 200);
  members.cx.taken();
  const again = async (more: Parameters<typeof second.register>[0]): Promise<number> =>
    (await second.exchange(second.register({ ...fields, ...more }))).status;
  // The same request; another one with the next nonce count; one that the P-CSCF vouches for.
  assert.equal(await again(removal), 200);
  assert.equal(await again({ cseq: 52, authorization: answering("00000002") }), 200);
  const vouched = (value: string): string =>
    `Digest username="alice@example.com",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected="${value}"`;
  assert.equal(await again({ cseq: 53, authorization: vouched("ip-assoc-yes") }), 200);
  assert.deepEqual(
    members.cx.taken().filter((one) => one.startsWith("SAR")),
    [],
  );
  // A stranger, a spent answer for something else, a wrong password.
  assert.equal(await again({ cseq: 54 }), 403);
  assert.equal(await again({ cseq: 55, authorization: vouched("ip-assoc-pending") }), 403);
  assert.equal(await again({ ...removal, contact: "<sip:mallory@192.0.2.66>" }), 403);
  const wrong = answering("00000003").replace(/response="./, 'response="g');
  assert.equal(await again({ cseq: 56, authorization: wrong }), 403);
  // Vouched for or not, nobody is registered without proof.
  assert.equal(await again({ cseq: 57, expires: 600, authorization: vouched("ip-assoc-yes") }), 401);
});

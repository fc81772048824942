import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import {
  decodeRegistration,
  encodeNone,
  encodeRegistration,
  NO_META,
} from "../../src/store/registration-codec.ts";
import { type Bench, benchWithUsers } from "../support/bench.ts";
import { Members } from "../support/members.ts";
import { readProfile, registration } from "../support/pool.ts";

const PHONE = "<sip:alice@192.0.2.1:5060>";
const TABLET = "<sip:alice@192.0.2.9:5060>";
const VOUCHED =
  'Digest username="alice@example.com",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected=ip-assoc-yes';

const vouched = (fields: { contact?: string; cseq?: number; expires?: number; callId?: string }) =>
  ({ authorization: VOUCHED, ...fields }) as const;

function contacts(answer: SipMessage): string[] {
  return answer.values("Contact").map((value) => value.slice(0, value.indexOf(">") + 1));
}

const listed = async (b: Bench): Promise<string[]> =>
  contacts(await b.exchange(b.register({ contact: null, authorization: VOUCHED })));

for (const durable of [false, true]) {
  const where = durable ? "in both copies" : "in the working copy alone";

  test(`RFC 3261 §10.3 step 7: a REGISTER that was held up does not bring back a contact removed since (${where})`, async (t) => {
    const pool = durable ? new Members(t) : undefined;
    pool?.cx.subscribers.push({ impi: "alice@example.com", impus: ["sip:alice@example.com"] });
    const first = pool?.start() ?? benchWithUsers();
    const other = pool?.start() ?? first;
    await first.registered({ contact: PHONE, callId: "phone", cseq: 1 });
    await first.exchange(first.register(vouched({ contact: TABLET, callId: "tablet", cseq: 1 })));
    // The refresh is held up on its way to one member, and done by another.
    const late = { contact: PHONE, callId: "phone", cseq: 5 };
    const done = await first.exchange(first.register(vouched(late)));
    assert.equal(done.status, 200);
    const removed = await first.exchange(first.register(vouched({ ...late, cseq: 6, expires: 0 })));
    assert.deepEqual([removed.status, contacts(removed)], [200, [TABLET]]);
    for (const cseq of [5, 6]) {
      const answer = await other.exchange(other.register(vouched({ ...late, cseq })));
      assert.equal(answer.status, 500, `CSeq ${cseq}`);
    }
    assert.deepEqual(await listed(other), [TABLET]);
    // Not what the same UE says later, nor another one; nor after a minute.
    const back = await other.exchange(other.register(vouched({ ...late, cseq: 7 })));
    assert.deepEqual([back.status, contacts(back).length], [200, 2]);
    await other.exchange(other.register(vouched({ ...late, cseq: 8, expires: 0 })));
    const restarted = { contact: PHONE, callId: "phone again", cseq: 1 };
    assert.equal((await other.exchange(other.register(vouched(restarted)))).status, 200);
    await other.exchange(other.register(vouched({ ...restarted, cseq: 2, expires: 0 })));
    await other.advance(61_000);
    assert.equal((await other.exchange(other.register(vouched({ ...late, cseq: 5 })))).status, 200);
  });

  test(`RFC 3261 §10.3 step 7: the same when nobody of the user is registered any more (${where})`, async (t) => {
    const pool = durable ? new Members(t) : undefined;
    pool?.cx.subscribers.push({ impi: "alice@example.com", impus: ["sip:alice@example.com"] });
    const b = pool?.start() ?? benchWithUsers();
    const fields = { contact: PHONE, callId: "phone" } as const;
    const challenged = await b.exchange(b.register({ ...fields, cseq: 1 }));
    // Held up; the UE begins anew, registers, and leaves.
    const late = b.register({ ...fields, cseq: 2, authorization: b.answerTo(challenged) });
    const again = await b.exchange(b.register({ ...fields, cseq: 3 }));
    const answer = b.answerTo(again);
    assert.equal((await b.exchange(b.register({ ...fields, cseq: 4, authorization: answer }))).status, 200);
    const gone = await b.exchange(
      b.register(vouched({ contact: "*", callId: "phone", cseq: 5, expires: 0 })),
    );
    assert.equal(gone.status, 200);
    const asked = b.cx.calls.filter(({ command }) => command === "SAR").length;
    assert.equal((await b.exchange(late)).status, 500);
    assert.equal(
      b.cx.calls.filter(({ command }) => command === "SAR").length,
      asked,
      "the HSS hears nothing",
    );
    const fetch = b.register({ contact: null, authorization: VOUCHED });
    assert.equal((await b.exchange(fetch)).status, 401, "nobody is registered");
    await b.registered({ ...fields, cseq: 6 });
  });
}

test("what is known as removed costs a registration no store operation", async (t) => {
  const pool = new Members(t);
  pool.cx.subscribers.push({ impi: "alice@example.com", impus: ["sip:alice@example.com"] });
  const member = pool.start();
  let cseq = 0;
  const operations = async (fields: { expires?: number; contact: string }): Promise<string[]> => {
    const before = member.life.operations.length;
    const answer = await member.exchange(member.register(vouched({ ...fields, callId: "c", cseq: ++cseq })));
    assert.equal(answer.status, 200);
    return member.life.operations.slice(before);
  };
  await member.registered({ contact: TABLET });
  await operations({ contact: TABLET });
  const usual = await operations({ contact: TABLET });
  await operations({ contact: PHONE });
  await operations({ contact: PHONE, expires: 0 });
  assert.deepEqual(await operations({ contact: TABLET }), usual);
});

test("what was removed is written with a set or its absence and read back; what cannot be read counts as nothing", () => {
  const removed = [{ impi: "alice@example.com", key: "sip:a@b", callId: "__proto__", cseq: 7, until: 1_000 }];
  const meta = { stamp: 3, calendarAt: 4, behind: 0, removed } as const;
  for (const value of [encodeRegistration(registration(), meta), encodeNone(meta)]) {
    const read = decodeRegistration(value, readProfile);
    assert.deepEqual("meta" in read && read.meta, meta);
  }
  for (const r of ['{"a":1}', "[1]", '[["a","b","c","7",1]]', "7"]) {
    const text = `{"v":1,"x":1,"t":3,"e":4,"r":${r}}`;
    const read = decodeRegistration(Buffer.from(text), readProfile);
    assert.deepEqual(read, { kind: "none", meta: { stamp: 3, calendarAt: 4, behind: 0 } }, r);
  }
  const plain = decodeRegistration(encodeRegistration(registration()), readProfile);
  assert.equal("meta" in plain && plain.meta, NO_META);
});

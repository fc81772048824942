import assert from "node:assert/strict";
import { test } from "node:test";
import type { Simservs } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { ALICE, BOB_URI, calls, type MmtelBench, mmtelBench, requestIn } from "../support/mmtel.ts";

const HIDDEN = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=f1';
const restricts = (restricted: boolean): Simservs => ({
  originatingIdentityRestriction: { active: true, restricted },
});

/** The answer of Bob's phone, as it leaves for Alice's. */
async function answered(
  b: MmtelBench,
  asked: SipMessage,
  status = 200,
  headers: readonly string[] = [],
): Promise<SipMessage> {
  const [answer] = await b.send(b.answer(asked, status, headers), b.dialled());
  return answer ?? assert.fail("no answer left");
}

test("TS 24.607 §4.5.2 OIR: by default restricted, the caller is not to be seen, and gets back the From she sent", async () => {
  const b = await mmtelBench({ simservs: { [ALICE]: restricts(true) } });
  const asked = requestIn(await calls(b));
  assert.equal(asked.header("Privacy"), "id");
  assert.equal(asked.header("From"), HIDDEN);
  assert.equal(
    asked.header("P-Asserted-Identity"),
    `<${ALICE}>`,
    "for the trust domain; the P-CSCF takes it off",
  );
  const answer = await answered(b, asked);
  assert.equal(answer.header("From"), `<${ALICE}>;tag=f1`);
  assert.ok(b.counted.includes("restricted"));
});

test("TS 24.607 §4.5.2 OIR: what the request says comes before the default", async () => {
  const cases: readonly (readonly [boolean, string | undefined, string | undefined])[] = [
    [true, "none", "none"],
    [false, undefined, undefined],
    [false, "id", "id"],
    [true, "header", "header;id"],
  ];
  for (const [restricted, said, wanted] of cases) {
    const b = await mmtelBench({ simservs: { [ALICE]: restricts(restricted) } });
    const asked = requestIn(await calls(b, { headers: said === undefined ? [] : [`Privacy: ${said}`] }));
    assert.equal(asked.header("Privacy"), wanted);
    assert.equal(asked.header("From") === HIDDEN, wanted?.includes("id") === true);
  }
  const off = await mmtelBench({
    simservs: { [ALICE]: { originatingIdentityRestriction: { active: false, restricted: true } } },
  });
  assert.equal(requestIn(await calls(off)).has("Privacy"), false);
});

test("RFC 3323 §5.3: inside the dialog the caller is not to be seen either, in requests and ACK; the other end is", async () => {
  const b = await mmtelBench({ simservs: { [ALICE]: restricts(true) } });
  const asked = requestIn(await calls(b));
  const answer = await answered(b, asked, 200, ["Contact: <sip:bob@192.0.2.2:5060>"]);
  const routes = answer.values("Record-Route").reverse();
  const inDialog = (
    method: string,
    from: string,
    fromTag: string,
    toTag: string,
    route: readonly string[],
  ): string =>
    b.request(method, {
      uri: "sip:bob@192.0.2.2:5060",
      from,
      fromTag,
      to: from === ALICE ? BOB_URI : "sip:anonymous@anonymous.invalid",
      toTag,
      callId: asked.callId,
      cseq: method === "ACK" ? 1 : 2,
      headers: route.map((one) => `Route: ${one}`),
    });
  const ack = requestIn(await b.send(inDialog("ACK", ALICE, "f1", "t1", routes), b.toScscf), "ACK");
  assert.equal(ack.header("From"), HIDDEN);
  assert.equal(ack.has("Route"), false);
  const update = requestIn(await b.send(inDialog("UPDATE", ALICE, "f1", "t1", routes), b.toScscf), "UPDATE");
  assert.equal(update.header("From"), HIDDEN);
  assert.equal((await answered(b, update)).header("From"), `<${ALICE}>;tag=f1`);
  const bye = requestIn(
    await b.send(inDialog("BYE", BOB_URI, "t1", "f1", [...routes].reverse()), b.toScscf),
    "BYE",
  );
  assert.equal(bye.header("From"), `<${BOB_URI}>;tag=t1`);
});

test("TS 24.607 §4.5.2 OIP: a user without it learns nothing of the caller", async () => {
  const b = await mmtelBench({ simservs: { [BOB_URI]: { originatingIdentityPresentation: false } } });
  const asked = requestIn(await calls(b, { headers: ["Privacy: none"] }));
  assert.equal(asked.has("P-Asserted-Identity"), false);
  assert.equal(asked.header("From"), HIDDEN);
  const other = await mmtelBench({ simservs: { [BOB_URI]: { originatingIdentityPresentation: true } } });
  assert.equal(requestIn(await calls(other)).header("From"), `<${ALICE}>;tag=f1`);
});

test("TS 24.608 §4.5.2 TIR: who is called is not to be seen in answers, unless they say otherwise", async () => {
  const simservs = { [BOB_URI]: { terminatingIdentityRestriction: { active: true, restricted: true } } };
  const identity = `P-Asserted-Identity: <${BOB_URI}>`;
  const b = await mmtelBench({ simservs });
  const asked = requestIn(await calls(b, { headers: ["Supported: from-change, 100rel"] }));
  assert.deepEqual(asked.values("Supported"), ["100rel"]);
  assert.equal((await answered(b, asked, 180, [identity])).header("Privacy"), "id");
  assert.equal((await answered(b, asked, 200, [identity])).header("Privacy"), "id");
  const open = await mmtelBench({ simservs });
  const answer = await answered(open, requestIn(await calls(open)), 200, [identity, "Privacy: none"]);
  assert.equal(answer.header("Privacy"), "none");
});

test("TS 24.608 §4.5.2 TIP: a caller without it learns nothing of who answers", async () => {
  const b = await mmtelBench({ simservs: { [ALICE]: { terminatingIdentityPresentation: false } } });
  const asked = requestIn(await calls(b, { headers: ["Supported: from-change"] }));
  assert.equal(asked.has("Supported"), false);
  const answer = await answered(b, asked, 200, [`P-Asserted-Identity: <${BOB_URI}>`]);
  assert.equal(answer.has("P-Asserted-Identity"), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { BOB, BOB_KEYS, benchWithUsers, SCSCF } from "../support/bench.ts";

const ELSEWHERE = "sip:192.0.2.50:5052;transport=tcp";

test("TS 24.229 §5.4.3.2 step 10: the S-CSCF sends what is for users of ours to an I-CSCF of somebody else", async () => {
  const b = benchWithUsers({ options: { externalIcscfUri: ELSEWHERE } });
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  b.cx.taken();
  const originating = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"];
  const left = await b.exchange(
    b.request("MESSAGE", { uri: "sip:bob@example.com", headers: originating }),
    b.toScscf,
  );
  assert.deepEqual([left.requestUri, left.values("Route")], ["sip:bob@example.com", []]);
  assert.equal(b.dialled(5052).remoteAddress, "192.0.2.50");
  assert.deepEqual(b.cx.taken(), [], "nobody here asks the HSS where Bob is");

  // It has asked the HSS, and comes back as any I-CSCF does (§5.3.2.1).
  const arrived = await b.exchange(
    b.request("MESSAGE", { uri: "sip:bob@example.com", headers: [`Route: <${SCSCF};lr>`] }),
    b.toScscf,
  );
  assert.equal(arrived.requestUri, "sip:bob@192.0.2.2:5060");
  const delivered = await b.exchange(b.answer(arrived, 200), b.dialled(5058));
  assert.equal(delivered.status, 200);
  const answered = await b.exchange(b.answer(left, 200), b.dialled(5052));
  assert.equal(answered.status, 200);

  // Our own I-CSCF goes on serving others: the way of a request says which one it is for.
  const entering = await b.exchange(b.request("MESSAGE", { uri: "sip:bob@example.com" }));
  assert.equal(entering.requestUri, "sip:bob@192.0.2.2:5060");
});

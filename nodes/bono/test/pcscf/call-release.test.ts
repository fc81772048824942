import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, type Sent } from "../support/pcscf-bench.ts";

type Ue = ReturnType<PcscfBench["ue"]>;

function registeredBench(): { bench: PcscfBench; ue: Ue; owner: string } {
  const bench = new PcscfBench({ releases: true });
  const ue = bench.ue(40000);
  bench.register(ue);
  return { bench, ue, owner: bench.modules.flows.access(ue).sole?.owner ?? assert.fail() };
}

function requests(sent: readonly Sent[]): Sent {
  return only(sent.filter(({ message }) => message.isRequest));
}

/** Alice calls Bob through one more proxy; he answers. */
function callOf(bench: PcscfBench, ue: Ue, callId = "c1"): Sent {
  const invite = requests(bench.request(ue, { callId, cseq: 7 }));
  const routes = ["<sip:10.0.0.3:5054;lr>", ...invite.message.values("Record-Route")];
  return only(
    bench.answer(invite, 200, [
      ...routes.map((route) => `Record-Route: ${route}`),
      "Contact: <sip:bob@192.0.2.9>",
    ]),
  );
}

function callTo(bench: PcscfBench, ue: Ue, callId = "c2"): void {
  const invite = requests(
    bench.request(bench.sprout(), {
      uri: "sip:alice@10.1.1.1:5060",
      from: "bob",
      to: "<sip:alice@example.com>",
      callId,
      cseq: 3,
      contact: "<sip:bob@192.0.2.9>",
      headers: [`Route: ${bench.pathOf(ue)}`, "Record-Route: <sip:10.0.0.2:5054;transport=tcp;lr>"],
    }),
  );
  bench.answer(invite, 200, ["Contact: <sip:alice@10.1.1.1:5060>"]);
}

function released(bench: PcscfBench, ue: Ue, owner: string): readonly (readonly [string, string])[] {
  bench.modules.callRelease?.release(owner, ue);
  return bench
    .sent()
    .filter(({ message }) => message.method === "BYE")
    .map(({ message, flow }) => [
      flow.side,
      [
        message.requestUri,
        message.values("Route").join(" "),
        message.header("From"),
        message.header("To"),
        message.callId,
        message.header("CSeq"),
      ].join(" | "),
    ]);
}

test("TS 24.229 §5.2.8.1: a call of a UE that is deregistered ends with BYE to both sides", () => {
  const { bench, ue, owner } = registeredBench();
  callOf(bench, ue);
  assert.deepEqual(released(bench, ue, owner), [
    [
      "core",
      "sip:bob@192.0.2.9 | <sip:10.0.0.3:5054;lr> | <sip:alice@example.com>;tag=f1 | <sip:bob@example.com>;tag=t1 | c1 | 8 BYE",
    ],
    [
      "access",
      "sip:alice@10.1.1.1:5060 |  | <sip:bob@example.com>;tag=t1 | <sip:alice@example.com>;tag=f1 | c1 | 1 BYE",
    ],
  ]);
  assert.equal(bench.released, 1);
  assert.deepEqual(released(bench, ue, owner), [], "once");
});

test("TS 24.229 §5.2.8.1: so does a call to it", () => {
  const { bench, ue, owner } = registeredBench();
  callTo(bench, ue);
  assert.deepEqual(released(bench, ue, owner), [
    [
      "core",
      "sip:bob@192.0.2.9 | <sip:10.0.0.2:5054;transport=tcp;lr> | <sip:alice@example.com>;tag=t1 | <sip:bob@example.com>;tag=f1 | c2 | 1 BYE",
    ],
    [
      "access",
      "sip:alice@10.1.1.1:5060 |  | <sip:bob@example.com>;tag=f1 | <sip:alice@example.com>;tag=t1 | c2 | 4 BYE",
    ],
  ]);
});

test("RFC 3261 §12.2: the BYEs follow what was sent inside the dialog; a call that has ended, failed or is another UE's is left alone", () => {
  const { bench, ue, owner } = registeredBench();
  const other = bench.ue(40001);
  bench.register(other, "carol");
  const answer = callOf(bench, ue);
  const routes = answer.message.values("Record-Route").reverse().join(", ");
  const inside = {
    uri: "sip:bob@192.0.2.9",
    to: "<sip:bob@example.com>;tag=t1",
    callId: "c1",
    contact: "<sip:alice@10.1.1.1:5090>",
    headers: [`Route: ${routes}`],
  };
  bench.answer(requests(bench.request(ue, { ...inside, method: "UPDATE", cseq: 20 })), 200);
  const refused = requests(bench.request(ue, { callId: "refused" }));
  bench.answer(refused, 486);
  assert.equal(bench.modules.callRelease?.size, 1);
  assert.deepEqual(released(bench, other, bench.modules.flows.access(other).sole?.owner ?? ""), []);
  const byes = released(bench, ue, owner).map(([, text]) => text.split(" | "));
  assert.deepEqual(
    byes.map(([target, , , , , cseq]) => [target, cseq]),
    [
      ["sip:bob@192.0.2.9", "21 BYE"],
      ["sip:alice@10.1.1.1:5090", "1 BYE"],
    ],
  );
  const third = callOf(bench, ue, "c3").message.values("Record-Route").reverse().join(", ");
  assert.equal(bench.modules.callRelease?.size, 1);
  const headers = [`Route: ${third}`];
  requests(bench.request(ue, { ...inside, callId: "c3", method: "BYE", cseq: 8, headers }));
  assert.equal(bench.modules.callRelease?.size, 0);
});

test("one UE takes neither memory without bound nor the place of others' calls", () => {
  const { bench, ue, owner } = registeredBench();
  const release = bench.modules.callRelease ?? assert.fail();
  callOf(bench, ue, `c${"x".repeat(9_000)}`);
  assert.equal(release.size, 0, "a dialog of long texts");
  callTo(bench, ue, "first");
  for (let call = 0; call < 199; call++) callOf(bench, ue, `c${call}`);
  assert.equal(release.size, 200);
  callOf(bench, ue, "one more");
  assert.equal(release.size, 200);
  const byes = released(bench, ue, owner);
  assert.equal(byes.length, 400);
  assert.ok(byes.every(([, text]) => !text.includes(" | first | ")));
});

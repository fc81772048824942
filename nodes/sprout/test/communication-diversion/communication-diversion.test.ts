import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUri, type SipMessage } from "@ims/sip";
import { CommunicationDiversionServer } from "../../src/communication-diversion/communication-diversion.ts";
import { diversionOfUri } from "../../src/communication-diversion/diversion-parameters.ts";
import type { Bench } from "../support/bench.ts";
import { builtInBench } from "../support/built-in.ts";
import { ALICE, BOB_URI, calls, requestIn, statuses } from "../support/mmtel.ts";

const ALICES_PHONE = "sip:alice@192.0.2.1:5060";
const TARGET = "target=sip:alice%40example.com";

interface DiversionBench extends Bench {
  readonly counted: string[];
  readonly problems: string[];
}

async function diversionBench(parameters: string, service = ".example.com"): Promise<DiversionBench> {
  const counted: string[] = [];
  const problems: string[] = [];
  const bench = await builtInBench({
    serverName: `sip:communication-diversion${service}${parameters}`,
    of: "bob",
    service: "communication-diversion",
    server: (clock) =>
      new CommunicationDiversionServer({
        options: { noReplySeconds: 20, maxDiversions: 5 },
        clock,
        counters: { diversion: (outcome) => void counted.push(outcome) },
        onMisconfigured: (_uri, problem) => void problems.push(problem),
      }),
  });
  return Object.assign(bench, { counted, problems });
}

function answers(b: Bench, asked: SipMessage, status: number, headers: string[] = []): Promise<SipMessage[]> {
  return b.send(b.answer(asked, status, headers), b.dialled());
}

test("without conditions a call goes to the target at once; History-Info, Diversion and 181 say so", async () => {
  const b = await diversionBench(`;${TARGET}`);
  const sent = await calls(b);
  assert.deepEqual(statuses(sent), [181]);
  const asked = requestIn(sent);
  assert.equal(asked.requestUri, ALICES_PHONE);
  assert.deepEqual(asked.values("History-Info"), [
    `<${BOB_URI}>;index=1`,
    `<${ALICE};cause=302>;index=1.1;mp=1`,
  ]);
  assert.deepEqual(asked.values("Diversion"), [`<${BOB_URI}>;reason=unconditional;counter=1`]);
  assert.deepEqual(b.counted, ["served", "diverted"]);
});

test("busy+no-answer: either of the conditions is enough, others are not; the timer is the URI's", async () => {
  const busy = await diversionBench(`;conditions=busy+no-answer;${TARGET};no-reply-timer=30`, "@example.com");
  const refused = requestIn(await answers(busy, requestIn(await calls(busy)), 486));
  assert.equal(refused.requestUri, ALICES_PHONE);
  assert.deepEqual(refused.values("Diversion"), [`<${BOB_URI}>;reason=user-busy;counter=1`]);

  const silent = await diversionBench(`;conditions=busy+no-answer;${TARGET};no-reply-timer=30`);
  const asked = requestIn(await calls(silent));
  await answers(silent, asked, 180);
  assert.deepEqual(await silent.advance(29_000), []);
  const diverted = requestIn(await silent.advance(2_000));
  assert.deepEqual(diverted.values("Diversion"), [`<${BOB_URI}>;reason=no-answer;counter=1`]);

  const away = await diversionBench(`;conditions=busy+no-answer;${TARGET}`);
  assert.deepEqual(statuses(await answers(away, requestIn(await calls(away)), 480)), [480]);
});

test("not-registered, not-reachable, and a phone that deflects", async () => {
  const unreachable = await diversionBench(`;conditions=not-reachable;${TARGET}`);
  const sent = await answers(unreachable, requestIn(await calls(unreachable)), 503);
  assert.deepEqual(requestIn(sent).values("Diversion"), [`<${BOB_URI}>;reason=unavailable;counter=1`]);

  const gone = await diversionBench(`;conditions=not-registered;${TARGET}`);
  await gone.advance(3_700_000);
  await gone.registered();
  assert.equal(requestIn(await calls(gone)).requestUri, ALICES_PHONE);

  const deflecting = await diversionBench(`;conditions=busy;${TARGET}`);
  const deflected = await answers(deflecting, requestIn(await calls(deflecting)), 302, [
    `Contact: <${ALICE}>`,
  ]);
  assert.deepEqual(requestIn(deflected).values("Diversion"), [`<${BOB_URI}>;reason=deflection;counter=1`]);
});

test("a URI that says nothing that can be done is told of once, and calls go on", async () => {
  const b = await diversionBench(";conditions=busy+sunday;target=sip:alice%40example.com");
  for (let call = 0; call < 3; call++)
    assert.equal(requestIn(await calls(b)).requestUri, "sip:bob@192.0.2.2:5060");
  assert.deepEqual(b.problems, [
    "conditions: sunday is none of busy, no-answer, not-registered, not-reachable",
  ]);
  assert.deepEqual(b.counted, ["misconfigured", "misconfigured", "misconfigured"]);
});

test("what stands in the URI is read with its escapes, and judged", () => {
  const read = (parameters: string) => {
    const uri = parseUri(`sip:communication-diversion.example.com${parameters}`);
    assert.ok(uri, parameters);
    return diversionOfUri(uri);
  };
  const good = read(";target=tel:+49301234%3Bcic=1;conditions=busy;no-reply-timer=5");
  assert.equal(good.kind === "service" && good.service.rules[0]?.action.target, "tel:+49301234;cic=1");
  for (const bad of [
    ...["", ";target", ";target=nobody", ";target=%zz", ";target=http://x", `;${TARGET};no-reply-timer=4`],
    ...[`;${TARGET};no-reply-timer=abc`, `;${TARGET};no-reply-timer=181`, `;${TARGET};conditions=__proto__`],
  ])
    assert.equal(read(bad).kind, "misconfigured", bad);
});

test("MESSAGE and calls of the user pass", async () => {
  const b = await diversionBench(`;${TARGET}`);
  const message = requestIn(await calls(b, { method: "MESSAGE" }), "MESSAGE");
  assert.equal(message.requestUri, "sip:bob@192.0.2.2:5060");
  assert.deepEqual(b.counted, []);
});

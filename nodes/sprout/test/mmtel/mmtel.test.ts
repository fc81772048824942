import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSimservs } from "@ims/ims";
import { SimservsCache } from "../../src/mmtel/simservs-cache.ts";
import { SCSCF } from "../support/bench.ts";
import {
  ALICE,
  BOB_URI,
  bars,
  calls,
  diverting,
  forwardTo,
  mmtelBench,
  requestIn,
  statuses,
} from "../support/mmtel.ts";

test("TS 24.229 §5.7.4: on ISC without a message: both users' services, and the S-CSCF goes on", async () => {
  const b = await mmtelBench();
  const sent = await calls(b);
  assert.equal(sent.length, 1);
  const asked = requestIn(sent);
  assert.equal(asked.requestUri, "sip:bob@192.0.2.2:5060");
  assert.equal(asked.has("P-Served-User"), false);
  assert.deepEqual(asked.values("Record-Route"), [`<${SCSCF};lr>`]);
  assert.deepEqual(b.counted, ["served", "served"]);
});

test("a document that cannot be read: the operator chooses between a call without services, the last known, and 480", async () => {
  const unreadable = { kind: "unreadable" } as const;
  const last = { kind: "lastKnown", simservs: diverting(forwardTo(ALICE)) } as const;
  const cases = [
    ["continue", unreadable, "rings", "withoutServices"],
    ["continue", last, "rings", "withoutServices"],
    ["lastKnown", last, 181, "lastKnown"],
    ["lastKnown", unreadable, 480, "refused"],
    ["refuse", unreadable, 480, "refused"],
    ["refuse", last, 480, "refused"],
  ] as const;
  for (const [choice, reading, wanted, counted] of cases) {
    const b = await mmtelBench({ simservs: { [BOB_URI]: reading }, options: { unreadable: choice } });
    assert.equal(statuses(await calls(b))[0] ?? "rings", wanted, `${choice} ${reading.kind}`);
    assert.ok(b.counted.includes(counted), `${choice} ${reading.kind}: ${b.counted}`);
  }
});

test("documents are parsed once for each entity tag, and who reads them is told when they are away and back", async () => {
  const document = buildSimservs({ communicationWaiting: true });
  const asked: (string | undefined)[] = [];
  const told: (string | undefined)[] = [];
  const answers = [
    { kind: "found", document, etag: '"1"' },
    { kind: "unchanged" },
    { kind: "unavailable", problem: "gone" },
    { kind: "unavailable", problem: "gone" },
    { kind: "notFound" },
    { kind: "found", document: "<no", etag: '"2"' },
  ] as const;
  const cache = new SimservsCache(
    {
      read: async (_impu, etag) => {
        asked.push(etag);
        return answers[asked.length - 1] ?? assert.fail();
      },
    },
    (problem) => told.push(problem),
  );
  const kinds: string[] = [];
  for (const _ of answers) kinds.push((await cache.read(ALICE)).kind);
  assert.deepEqual(kinds, ["simservs", "simservs", "lastKnown", "lastKnown", "simservs", "lastKnown"]);
  assert.deepEqual(asked.slice(0, 4), [undefined, '"1"', '"1"', '"1"']);
  assert.deepEqual(told.slice(0, 2), ["gone", undefined]);
  assert.match(told[2] ?? "", /^sip:alice@example.com: line 1/);
  assert.match(cache.problem ?? "", /1 documents were no simservs/);
});

test("TS 24.605 §5.3: a conference factory URI goes to the MRF, by whatever user it is called", async () => {
  const options = {
    conferenceUris: ["conf-factory.example.com", "sip:meet@example.com"],
    mrfUri: "sip:127.0.0.1:7900;transport=tcp",
  };
  for (const uri of ["sip:mmtel@conf-factory.example.com", "sip:meet@example.com"]) {
    const b = await mmtelBench({ options });
    const asked = requestIn(await calls(b, { uri }));
    assert.equal(asked.requestUri, uri);
    assert.deepEqual(asked.values("Route"), ["<sip:127.0.0.1:7900;transport=tcp;lr>"]);
    assert.equal(asked.has("P-Served-User"), false);
    assert.deepEqual(asked.values("Record-Route"), [`<${SCSCF};lr>`]);
  }
  const b = await mmtelBench({ options });
  assert.equal(requestIn(await calls(b)).requestUri, "sip:bob@192.0.2.2:5060");
});

test("TS 24.610, TS 24.615, TS 24.606: hold, waiting and message-summary pass as they are", async () => {
  const b = await mmtelBench({
    simservs: { [BOB_URI]: { communicationWaiting: true }, [ALICE]: { incomingBarring: bars([]) } },
  });
  const waiting = requestIn(await calls(b));
  const alert = "Alert-Info: <urn:alert:service:call-waiting>";
  const [ringing] = await b.send(b.answer(waiting, 180, [alert]), b.dialled());
  assert.equal(ringing?.header("Alert-Info"), "<urn:alert:service:call-waiting>");
  const [answer] = await b.send(b.answer(waiting, 200, ["Contact: <sip:bob@192.0.2.2:5060>"]), b.dialled());
  const routes = answer?.values("Record-Route").reverse() ?? [];
  assert.ok(
    routes.every((one) => !one.includes("mmtel")),
    "not on the path of what it need not see",
  );
  const subscribed = requestIn(
    await calls(b, { method: "SUBSCRIBE", headers: ["Event: message-summary"] }),
    "SUBSCRIBE",
  );
  assert.equal(subscribed.header("Event"), "message-summary");
});

test("an S-CSCF that sends no P-Served-User is understood by its Route; a request that leads nowhere is answered", async () => {
  const b = await mmtelBench({ simservs: { [ALICE]: { outgoingBarring: bars([]) } } });
  const from = (back: string): string =>
    b.request("INVITE", {
      uri: BOB_URI,
      headers: [
        "Route: <sip:mmtel.example.com;lr>",
        `Route: <sip:127.0.0.1:7999;transport=tcp;lr${back}>`,
        `P-Asserted-Identity: <${ALICE}>`,
      ],
    });
  assert.deepEqual(statuses(await b.send(from(";orig"), b.toScscf)), [603]);
  assert.equal(
    requestIn(await b.send(from(""), b.toScscf)).top("Route"),
    "<sip:127.0.0.1:7999;transport=tcp;lr>",
  );
  const nowhere = b.request("INVITE", {
    uri: "sip:mmtel.example.com",
    headers: ["Route: <sip:mmtel.example.com;lr>"],
  });
  assert.deepEqual(statuses(await b.send(nowhere, b.toScscf)), [404]);
});

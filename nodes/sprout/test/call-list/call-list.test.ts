import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import type { CallFragment } from "@ims/api";
import type { SipMessage } from "@ims/sip";
import { CallList } from "../../src/call-list/call-list.ts";
import { RecordedCalls } from "../../src/call-list/recorded-call.ts";
import type { Bench } from "../support/bench.ts";
import { builtInBench } from "../support/built-in.ts";
import { ALICE, BOB_URI, calls, requestIn, statuses } from "../support/mmtel.ts";

const CALLER = { uri: ALICE, name: "" };
const CALLED = { uri: BOB_URI, name: "" };

interface ListBench extends Bench {
  readonly recorded: CallFragment[];
  readonly counted: string[];
}

async function listBench(of: "bob" | "both" = "both"): Promise<ListBench> {
  const recorded: CallFragment[] = [];
  const counted: string[] = [];
  const bench = await builtInBench({
    serverName: "sip:memento.example.com",
    of,
    service: "memento",
    server: (clock) =>
      new CallList({
        calls: new RecordedCalls(createSecretKey(Buffer.alloc(16, 7))),
        clock,
        record: (fragment) => void recorded.push(fragment),
        counters: { callList: (outcome) => void counted.push(outcome) },
      }),
  });
  return Object.assign(bench, { recorded, counted });
}

/** The phone of Bob answers. */
function answers(b: Bench, asked: SipMessage, status: number): Promise<SipMessage[]> {
  return b.send(b.answer(asked, status), b.dialled());
}

/** A request inside the dialog that `asked` began, of its caller. */
function inDialog(b: Bench, method: string, asked: SipMessage): Promise<SipMessage[]> {
  const routes = asked.values("Record-Route").reverse();
  const request = b.request(method, {
    uri: "sip:bob@192.0.2.2:5060",
    ...{ from: ALICE, to: BOB_URI, fromTag: "f1", toTag: "t1", callId: asked.callId, cseq: 2 },
    headers: routes.map((one) => `Route: ${one}`),
  });
  return b.send(request, b.toScscf);
}

/** What was recorded, without the names of the calls. */
function noted(b: ListBench): unknown[] {
  return b.recorded.splice(0).map(({ call, ...more }) => {
    assert.match(call, /^[0-9a-f]{12}$/);
    return more;
  });
}

test("a call that is answered and ends is in both lists, with its times", async () => {
  const b = await listBench();
  const startedAt = b.clock.now();
  const asked = requestIn(await calls(b));
  assert.deepEqual(noted(b), [], "nothing is known yet");
  await b.advance(4_000);
  await answers(b, asked, 180);
  await b.advance(1_000);
  assert.deepEqual(statuses(await answers(b, asked, 200)), [200]);
  const begin = { kind: "begin", startedAt, to: CALLED, from: CALLER, answeredAt: startedAt + 5_000 };
  assert.deepEqual(noted(b), [
    { ...begin, impu: BOB_URI, outgoing: false },
    { ...begin, impu: ALICE, outgoing: true },
  ]);
  await b.advance(60_000);
  const bye = requestIn(await inDialog(b, "BYE", asked), "BYE");
  assert.equal(bye.has("Route"), false);
  const end = { kind: "end", startedAt, endedAt: startedAt + 65_000 };
  assert.deepEqual(noted(b), [
    { ...end, impu: ALICE },
    { ...end, impu: BOB_URI },
  ]);
  assert.deepEqual(statuses(await b.send(b.answer(bye, 200), b.dialled())), [200]);
});

test("beginning and end of a call have the same name, two calls have two", async () => {
  const b = await listBench("bob");
  const names = async (): Promise<string[]> => {
    const asked = requestIn(await calls(b));
    await answers(b, asked, 200);
    await inDialog(b, "BYE", asked);
    return b.recorded.splice(0).map(({ call }) => call);
  };
  const [begin, end] = await names();
  assert.equal(begin, end);
  assert.notEqual((await names())[0], begin);
});

test("calls that nobody answers are noted once, whatever the reason: busy, cancelled, nobody there", async () => {
  const b = await listBench("bob");
  const busy = requestIn(await calls(b));
  assert.deepEqual(statuses(await answers(b, busy, 180)), [180]);
  assert.deepEqual(statuses(await answers(b, busy, 486)), [486]);
  assert.deepEqual(
    noted(b).map((each) => (each as CallFragment).kind),
    ["rejected"],
  );
  const text = b.request("INVITE", {
    uri: BOB_URI,
    headers: ["Route: <sip:127.0.0.1:5054;transport=tcp;lr;orig>", `P-Asserted-Identity: <${ALICE}>`],
    branch: "z9hG4bKcancelled",
    callId: "cancelled",
  });
  const ringing = requestIn(await b.send(text, b.toScscf));
  await answers(b, ringing, 180);
  const cancel = text.replace(/^INVITE/, "CANCEL").replace("1 INVITE", "1 CANCEL");
  const cancelled = requestIn(await b.send(cancel, b.toScscf), "CANCEL");
  await b.send(b.answer(cancelled, 200), b.dialled());
  await answers(b, ringing, 487);
  assert.deepEqual(
    noted(b).map((each) => (each as CallFragment).kind),
    ["rejected"],
  );
  await b.advance(3_700_000);
  await b.registered();
  await calls(b);
  const [gone] = noted(b);
  assert.equal((gone as CallFragment | undefined)?.kind, "rejected");
  assert.equal((gone as CallFragment | undefined)?.impu, BOB_URI);
});

test("the caller is who wants to be seen: anonymous in the list of who is called", async () => {
  const b = await listBench();
  const text = b.request("INVITE", {
    uri: BOB_URI,
    from: "sip:anonymous@anonymous.invalid",
    headers: [
      "Route: <sip:127.0.0.1:5054;transport=tcp;lr;orig>",
      `P-Asserted-Identity: "Alice A" <${ALICE}>`,
      "Privacy: id",
    ],
  });
  await answers(b, requestIn(await b.send(text, b.toScscf)), 603);
  assert.deepEqual(
    b.recorded.map((each) => each.kind === "rejected" && each.from),
    [
      { uri: "sip:anonymous@anonymous.invalid", name: "" },
      { uri: ALICE, name: "Alice A" },
    ],
  );
});

test("names are UTF-8, without control characters, and bounded", async () => {
  const b = await listBench("bob");
  const shown = async (name: string): Promise<string | undefined> => {
    const octets = Buffer.from(name, "utf8").toString("latin1");
    const text = b
      .request("INVITE", {
        uri: BOB_URI,
        headers: ["Route: <sip:127.0.0.1:5054;transport=tcp;lr;orig>", `P-Asserted-Identity: <${ALICE}>`],
      })
      .replace("From: <", `From: "${octets}" <`);
    await answers(b, requestIn(await b.send(text, b.toScscf)), 486);
    const [only] = b.recorded.splice(0);
    return only?.kind === "rejected" ? only.from.name : undefined;
  };
  assert.equal(await shown("Jürgen Ærø 李"), "Jürgen Ærø 李");
  assert.equal(await shown("a\u0001b\tc"), "abc");
  assert.equal((await shown("x".repeat(5_000)))?.length, 255);
  assert.equal(await shown("__proto__"), "__proto__");
});

test("a BYE with a token that was made up ends no call, and goes on", async () => {
  const b = await listBench("bob");
  const asked = requestIn(await calls(b));
  await answers(b, asked, 200);
  b.recorded.splice(0);
  const forged = asked.clone();
  forged.remove("Record-Route");
  for (const one of asked.values("Record-Route"))
    forged.append("Record-Route", one.replace(/cl_[^@]*/, `cl_${"A".repeat(80)}`));
  requestIn(await inDialog(b, "BYE", forged), "BYE");
  assert.deepEqual(b.recorded, []);
  assert.equal(b.counted.at(-1), "forged");
});

test("what is no call is not noted, and the server does not stay on its path; inside the dialog only BYE counts", async () => {
  const b = await listBench();
  const message = requestIn(await calls(b, { method: "MESSAGE" }), "MESSAGE");
  assert.doesNotMatch(message.values("Record-Route").join(), /memento/);
  await answers(b, message, 200);
  assert.deepEqual(noted(b), []);
  const asked = requestIn(await calls(b));
  assert.match(asked.values("Record-Route").join(), /@memento\.example\.com;lr/);
  await answers(b, asked, 200);
  noted(b);
  const ack = requestIn(await inDialog(b, "ACK", asked), "ACK");
  assert.equal(ack.has("Route"), false);
  requestIn(await inDialog(b, "UPDATE", asked), "UPDATE");
  assert.deepEqual(noted(b), []);
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type PageMessage, pageModule } from "./modules.ts";

interface NegotiationOfPage {
  offer(): Promise<void>;
  hold(is: boolean): Promise<void>;
  receive(transaction: object): Promise<void>;
  acknowledged(ack: object): Promise<void>;
}
const { Negotiation } = await pageModule<{
  readonly Negotiation: new (call: object, changed: () => void) => NegotiationOfPage;
}>("call/negotiation.js");
const { Message } = await pageModule<{
  readonly Message: {
    request(method: string, uri: string): PageMessage & { body: string };
    response(status: number, reason: string): object;
  };
}>("sip/message.js");

/** A call whose other side answers offers with these statuses, one after the other. */
function callWith(...statuses: readonly number[]) {
  const answers = [...statuses];
  const said: string[] = [];
  const waiting: (() => void)[] = [];
  const media = {
    isHeld: false,
    offer: async () => "offer",
    answer: async () => "answer",
    accept: async () => void said.push("accepted"),
    takeBack: async () => void said.push("taken back"),
  };
  const dialog = {
    request: (method: string) => Message.request(method, "sip:b@example.com"),
    retarget: () => {},
    acknowledge: () => void said.push("ACK"),
    send(request: PageMessage, heard: (response: object) => void) {
      said.push(request.method ?? "");
      const status = answers.shift();
      if (status === undefined) waiting.push(() => heard(Message.response(200, "")));
      else queueMicrotask(() => heard(Message.response(status, "")));
      return { request };
    },
  };
  const timer = { start: () => {} };
  const call = {
    ...{ media, dialog, state: "active", isOutgoing: true },
    own: { timer, interval: 1800, contact: "", allow: "", supported: "" },
    expectAck: () => {},
    hangUp: () => void said.push("hung up"),
  };
  return { call, said, waiting };
}

/** The answer to an offer of the other side takes until the function is called. */
function heldAnswer({ media }: ReturnType<typeof callWith>["call"]): () => void {
  const { promise, resolve } = Promise.withResolvers<string>();
  media.answer = () => promise;
  return () => resolve("answer");
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function settled(t: TestContext, ms: number): Promise<void> {
  await turns();
  t.mock.timers.tick(ms);
  await turns();
}

test("RFC 3261 §14.1: an offer that meets one of the other side is made again, after two to four seconds by who has called", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { call, said } = callWith(491, 200);
  const offered = new Negotiation(call, () => {}).offer();
  await settled(t, 2_099);
  assert.deepEqual(said, ["INVITE", "taken back"]);
  await settled(t, 2_000);
  assert.deepEqual(said, ["INVITE", "taken back", "INVITE", "ACK", "accepted"]);
  await offered;
});

test("RFC 3261 §14.2: while an offer of ours is open one of the other side is answered 491", async () => {
  const { call, waiting } = callWith();
  const negotiation = new Negotiation(call, () => {});
  const offered = negotiation.offer();
  for (let turn = 0; turn < 20 && waiting.length === 0; turn++) await Promise.resolve();
  const request = Message.request("INVITE", "sip:a@example.com");
  request.body = "v=0";
  const statuses: number[] = [];
  await negotiation.receive({ request, respond: (status: number) => void statuses.push(status) });
  assert.deepEqual(statuses, [491]);
  waiting[0]?.();
  await offered;
});

test("RFC 3261 §14.2: while an offer of the other side is being answered another one of it is answered 500, to be made again in ten seconds at most", async () => {
  const { call } = callWith();
  const answer = heldAnswer(call);
  const negotiation = new Negotiation(call, () => {});
  const request = Message.request("INVITE", "sip:a@example.com");
  request.body = "v=0";
  const responses: { status: number; retryAfter: number }[] = [];
  const respond = (status: number, fill: (response: object) => void): void => {
    const response = Message.response(status, "") as PageMessage;
    fill(response);
    responses.push({ status, retryAfter: Number(response.get("Retry-After") || -1) });
  };
  const first = negotiation.receive({ request, respond });
  await negotiation.receive({ request, respond });
  answer();
  await first;
  assert.deepEqual(
    responses.map(({ status }) => status),
    [500, 200],
  );
  const [{ retryAfter } = { retryAfter: -1 }] = responses;
  assert.ok(Number.isInteger(retryAfter) && retryAfter >= 0 && retryAfter <= 10, String(retryAfter));
});

test("RFC 3264 §4: an offer of ours waits while one of the other side is answered, and while its answer is to come", async () => {
  const { call, said } = callWith(200, 200);
  const answer = heldAnswer(call);
  const negotiation = new Negotiation(call, () => {});
  const request = Message.request("INVITE", "sip:a@example.com");
  const respond = (status: number): void => void said.push(String(status));
  request.body = "v=0";
  const theirs = negotiation.receive({ request, respond });
  const held = negotiation.hold(true);
  await turns();
  assert.deepEqual(said, []);
  answer();
  await Promise.all([theirs, held]);
  assert.deepEqual(said, ["200", "INVITE", "ACK", "accepted"]);

  said.length = 0;
  request.body = "";
  await negotiation.receive({ request, respond });
  const resumed = negotiation.hold(false);
  await turns();
  assert.deepEqual(said, ["200"]);
  await negotiation.acknowledged({ body: "v=0" });
  await resumed;
  assert.deepEqual(said, ["200", "accepted", "INVITE", "ACK", "accepted"]);
});

test("a hold that is refused is taken back and told; a call that the other side does not know is over", async () => {
  const refused = callWith(488);
  await assert.rejects(new Negotiation(refused.call, () => {}).hold(true), { sipStatus: 488 });
  assert.equal(refused.call.media.isHeld, false);
  assert.deepEqual(refused.said, ["INVITE", "taken back"]);
  const gone = callWith(481);
  await assert.rejects(new Negotiation(gone.call, () => {}).hold(true));
  assert.ok(gone.said.includes("hung up"));
});

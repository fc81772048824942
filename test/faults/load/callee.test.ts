import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parseMessage, SipMessage } from "@ims/sip";
import { type CallOperation, emptyHistory } from "../history/operations.ts";
import { Random } from "../random.ts";
import { Callee } from "./callee.ts";
import { Told } from "./told.ts";
import { Ue } from "./ue.ts";
import type { World } from "./world.ts";

const CALL = "call-1";

function phone(): { callee: Callee; operation: CallOperation; answers: SipMessage[]; ask: Ask } {
  const operation: CallOperation = {
    ...{ kind: "call", id: CALL, caller: "sip:a@example.com", callee: "sip:b@example.com", transport: "tcp" },
    ...{ times: { invited: 0 }, callerBonos: ["bono-1"], calleeBonos: ["bono-1"] },
    ...{ status: 0, byeStatus: 0, duplicates: 0, over: false },
  };
  const world: World = {
    ...{ now: () => performance.now(), random: new Random(1), domain: "example.com" },
    ...{ edges: [{ name: "bono-1", host: "127.0.0.1", port: 5060 }], history: emptyHistory() },
    ...{ calls: new Map([[CALL, operation]]), told: new Told(), reached: () => undefined },
  };
  const ue = new Ue(world, {
    ...{ device: "d2", user: "b", password: "secret", transport: "tcp", address: "127.0.0.1", home: 0 },
  });
  const callee = new Callee(ue, new Map([[CALL, { ring: 0, hold: undefined }]]));
  const answers: SipMessage[] = [];
  const ask: Ask = (method, cseq, branch, toTag = "") => {
    const to = toTag === "" ? "" : `;tag=${toTag}`;
    const request = SipMessage.request(method, "sip:d2@127.0.0.1:1")
      .append("Via", `SIP/2.0/TCP 127.0.1.1:5060;branch=z9hG4bK${branch}`)
      .append("From", "<sip:a@example.com>;tag=a")
      .append("To", `<sip:b@example.com>${to}`)
      .append("Call-ID", CALL)
      .append("CSeq", `${cseq} ${method}`)
      .append("Contact", "<sip:d1@127.0.0.1:2>");
    callee.receive(request, (text) => {
      const parsed = parseMessage(text);
      assert.equal(parsed.kind, "message");
      if (parsed.kind === "message") answers.push(parsed.message);
    });
  };
  return { callee, operation, answers, ask };
}

type Ask = (method: string, cseq: number, branch: string, toTag?: string) => void;

const statuses = (answers: readonly SipMessage[]): number[] => answers.map(({ status }) => status);

test("RFC 3261 §8.2.2.2: the request that comes by another way is a merged one; the same branch is a copy", () => {
  const { operation, answers, ask } = phone();
  ask("INVITE", 1, "one");
  ask("INVITE", 1, "one");
  ask("INVITE", 1, "two");
  assert.deepEqual(statuses(answers), [180, 180, 482]);
  assert.equal(operation.duplicates, 1);
});

test("RFC 3261 §8.2.2.2: a caller that tries again counts up, so it is no merged request: it is answered, and the try before is over", async () => {
  const { operation, answers, ask } = phone();
  ask("INVITE", 1, "one");
  ask("INVITE", 2, "two");
  assert.deepEqual(statuses(answers), [180, 180]);
  assert.equal(operation.duplicates, 0);
  while (answers.length < 3) await delay(1);
  await delay(5);
  const [, again, answer] = answers;
  assert.deepEqual(statuses(answers), [180, 180, 200], "once, of the later one");
  assert.equal(answer?.cseqNumber, 2);
  assert.equal(answer?.toTag, again?.toTag);
  assert.notEqual(answer?.toTag, answers[0]?.toTag, "another dialog");
  // What is late of the try before finds the line busy.
  ask("INVITE", 1, "three");
  assert.equal(answers.at(-1)?.status, 486);
});

test("RFC 3261 §17.1.1.3: the ACK of a refusal is not that of the 200", () => {
  const { operation, answers, ask } = phone();
  ask("INVITE", 1, "one");
  ask("INVITE", 1, "two");
  ask("ACK", 1, "two", answers[1]?.toTag);
  assert.equal(operation.times.calleeAcked, undefined);
  ask("ACK", 1, "three", answers[0]?.toTag);
  assert.notEqual(operation.times.calleeAcked, undefined);
});

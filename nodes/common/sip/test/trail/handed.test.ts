import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trail } from "@ims/runtime";
import { SipTrail } from "../../src/index.ts";
import { parseMessage } from "../../src/message/parser.ts";
import { RecentTexts } from "../../src/transport/handed-texts.ts";
import type { Flow } from "../../src/transport/transport.ts";
import { FakeTransportLayer } from "../../testing/index.ts";

const SECRET = "0123456789abcdefSECRET";

function message(more: string, body = "") {
  const text =
    "MESSAGE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n" +
    `To: <sip:b@example.com>\r\nCall-ID: call-1\r\nCSeq: 1 MESSAGE\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const parsed = parseMessage(text);
  assert.ok(parsed.kind === "message");
  return { text, message: parsed.message };
}

/** Two ends of a connection, and what is kept of what passes there, as it is kept. */
function ends(handed: RecentTexts | undefined) {
  const layer = new FakeTransportLayer();
  const flow = (): Flow =>
    Object.defineProperty(layer.connect({ side: "core", protocol: "TCP" }), "handed", { value: handed });
  const kept: string[] = [];
  const trail: Pick<Trail, "addReader" | "text"> = {
    addReader: () => 0,
    text: (_kind, _direction, _ends, text) => void kept.push(text),
  };
  return { near: flow(), far: flow(), sip: new SipTrail(trail as Trail), kept };
}

const messages = [
  message(`Authorization: Digest username="a", nonce="n", response="${SECRET}"\r\n`),
  message("Content-Type: text/plain\r\n", SECRET),
  message("Content-Type: application/sdp\r\n", "v=0\r\ns=-\r\n"),
  message("Content-Type: application/sdp\r\n", `v=0\r\na=ice-pwd:${SECRET}\r\n`),
  message("Supported: path\r\n"),
];

test("what passes between nodes of one process is kept at both ends as if each had cleaned it", () => {
  const [together, apart] = [ends(new RecentTexts()), ends(undefined)];
  for (const { near, far, sip } of [together, apart]) {
    for (const one of messages) sip.sent(one.message, one.text, near);
    for (const one of messages) sip.received(one.message, one.text, far);
  }
  assert.equal(together.kept.length, 2 * messages.length);
  assert.deepEqual(together.kept, apart.kept);
  assert.deepEqual(together.kept.slice(0, messages.length), together.kept.slice(messages.length));
  assert.equal(together.kept.join().includes(SECRET), false);
});

test("a text that is not the one that was sent is cleaned by itself", () => {
  const { near, far, sip, kept } = ends(new RecentTexts());
  const [sent, other] = ["x".repeat(SECRET.length), SECRET].map((body) =>
    message("Supported: path\r\n", body),
  );
  assert.ok(sent && other);
  sip.sent(sent.message, sent.text, near);
  sip.received(other.message, other.text, far);
  assert.equal(kept.length, 2);
  assert.equal(kept.join().includes(SECRET), false);
});

test("what was made of a text is taken once, and not kept for long when nobody takes it", () => {
  const texts = new RecentTexts();
  texts.put("a", "A");
  texts.put("b", "B");
  assert.deepEqual([texts.take("b"), texts.take("b"), texts.take("a")], ["B", undefined, "A"]);
  for (let i = 0; i < 100; i++) texts.put(`text ${i}`, `made ${i}`);
  assert.equal(texts.take("text 0"), undefined);
  assert.equal(texts.take("text 99"), "made 99");
  assert.equal(texts.take("text 68"), "made 68");
  assert.equal(texts.take("text 67"), undefined);
});

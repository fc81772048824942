import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamFramer } from "../../src/transport/stream-framer.ts";
import { message } from "./support.ts";

interface Outcome {
  readonly messages: string[];
  pings: number;
  reason: string | undefined;
  pending: string;
}

function frame(chunks: readonly string[], maxBytes = 65_536): Outcome {
  const outcome: Outcome = { messages: [], pings: 0, reason: undefined, pending: "" };
  const framer = new StreamFramer(maxBytes, {
    onMessage: (text) => {
      outcome.messages.push(text);
      return true;
    },
    onPing: () => {
      outcome.pings += 1;
    },
  });
  for (const chunk of chunks) {
    outcome.reason = framer.push(chunk);
    if (outcome.reason !== undefined) break;
  }
  outcome.pending = framer.pending;
  return outcome;
}

function head(lines: readonly string[]): string {
  return `${["OPTIONS sip:a@example.com SIP/2.0", ...lines].join("\r\n")}\r\n\r\n`;
}

const spellings: readonly string[] = [
  "Content-Length: 5",
  "content-length:5",
  "CONTENT-LENGTH \t: \t5 \t",
  "l: 5",
  "L:5",
  "l : 005",
  "Content-Length:\r\n 5",
  "Content-Length: \r\n\t \r\n 5\r\n ",
];
const messages: readonly string[] = [
  ...spellings.map((line) => `${head(["Call-ID: 1", line, "c: text/plain"])}hello`),
  `${head(["l: 5", "Content-Length: 5", "Via: SIP/2.0/TCP a"])}\r\n\r\nx`,
  head([
    "Subject: Content-Length: 7\r\n l: 9",
    "X-Content-Length: 9",
    "Content-Lengths: 3",
    "Content-Length: 0",
  ]),
  `${head(["Content-Length: 300"])}${"INVITE sip:a SIP/2.0\r\n\r\n".repeat(20).slice(0, 300)}`,
];

test("RFC 3261 §18.3: any spelling of Content-Length, alone and one after the other in one read", () => {
  for (const text of messages) assert.deepEqual(frame([text]).messages, [text]);
  assert.deepEqual(frame([messages.join("")]), {
    messages: [...messages],
    pings: 0,
    reason: undefined,
    pending: "",
  });
});

test("every split position of a message and of two", () => {
  for (const text of messages) {
    const stream = `\r\n${text}\r\n\r\n${messages[0]}`;
    for (let at = 0; at <= stream.length; at += 1) {
      const outcome = frame([stream.slice(0, at), stream.slice(at)]);
      assert.deepEqual(
        outcome,
        { messages: [text, messages[0]], pings: 1, reason: undefined, pending: "" },
        `at ${at}`,
      );
    }
  }
});

test("random splits of a pipeline give the same messages", () => {
  const stream = messages.join("\r\n");
  const cuts = fc.array(fc.nat(stream.length), { maxLength: 60 });
  fc.assert(
    fc.property(cuts, (positions) => {
      const sorted = [0, ...positions.sort((a, b) => a - b), stream.length];
      const chunks = sorted.slice(1).map((end, i) => stream.slice(sorted[i], end));
      assert.deepEqual(frame(chunks), { messages: [...messages], pings: 0, reason: undefined, pending: "" });
    }),
    { numRuns: 300 },
  );
});

test("one byte at a time", () => {
  const stream = messages.join("");
  assert.deepEqual(frame([...stream]).messages, [...messages]);
});

test("any bytes at all: a reason or silence, never an exception, never more than the limit kept", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "\r\n",
      "\r",
      "\n",
      "\r\n\r\n",
      "Content-Length",
      ":",
      " ",
      "l",
      "5",
      "INVITE x SIP/2.0\r\n",
      "\0",
    ),
    fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (chunks) => {
      const outcome = frame(chunks, 200);
      assert.ok(outcome.pending.length <= 240);
      assert.ok(outcome.messages.every((text) => text.length <= 200));
    }),
    { numRuns: 500 },
  );
});

test("RFC 5626 §4.4.1: pings between messages are counted in pairs of CRLF", () => {
  assert.equal(frame(["\r\n\r\n"]).pings, 1);
  assert.equal(frame(["\r", "\n", "\r", "\n"]).pings, 1);
  assert.equal(frame(["\r\n"]).pings, 0);
  assert.equal(frame(["\r\n\r\n\r\n\r\n"]).pings, 2);
  assert.equal(frame([`\r\n${messages[0]}\r\n`]).pings, 0);
});

const garbage: readonly (readonly [string, string])[] = [
  [head(["Call-ID: 1"]), "noContentLength"],
  ["OPTIONS\r\n\r\n", "noContentLength"],
  [head(["Content-Length: -1"]), "badContentLength"],
  [head(["Content-Length:"]), "badContentLength"],
  [head(["Content-Length: 5x"]), "badContentLength"],
  [head(["Content-Length: 5 5"]), "badContentLength"],
  [head(["Content-Length: 0x5"]), "badContentLength"],
  [head(["Content-Length: +5"]), "badContentLength"],
  [head(["Content-Length: 5, 5"]), "badContentLength"],
  [head(["Content-Length: 5", "l: 6"]), "conflictingContentLength"],
  [head(["Content-Length: 65536"]), "tooLarge"],
  [head([`Content-Length: ${"9".repeat(10_000)}`]), "tooLarge"],
  [" INVITE", "notSip"],
  ["\rINVITE", "notSip"],
  ["\n", "notSip"],
  ["\r\r", "notSip"],
  ["\x16\x03\x01", "notSip"],
  ["<xml>", "notSip"],
  ["a".repeat(65_537), "tooLarge"],
];

for (const [text, reason] of garbage) {
  test(`RFC 3261 §18.3: ${JSON.stringify(text.slice(0, 80))} is garbage: ${reason}`, () => {
    const outcome = frame([text]);
    assert.equal(outcome.reason, reason);
    assert.equal(outcome.messages.length, 0);
    const slow = frame([messages[0] ?? "", ...text]);
    assert.equal(slow.reason, reason);
    assert.deepEqual(slow.messages, [messages[0]]);
  });
}

test("what was garbage is given out, at most the size limit of it", () => {
  const text = head(["Call-ID: 1"]);
  assert.equal(frame([`${messages[0]}${text}`]).pending, text);
  assert.equal(frame([...text]).pending, text);
  assert.equal(frame(["a".repeat(300)], 200).pending.length <= 300, true);
});

test("a closed stream ends the read: messages behind the closing one are not delivered", () => {
  const seen: string[] = [];
  const framer = new StreamFramer(65_536, {
    onMessage: (text) => {
      seen.push(text);
      return false;
    },
    onPing: () => assert.fail("ping after close"),
  });
  framer.push(`${message(1)}${message(2)}\r\n\r\n`);
  assert.deepEqual(seen, [message(1)]);
});

test("a message of the largest size, one byte at a time, takes linear time", () => {
  const small = timed(8_000);
  const large = timed(64_000);
  // Processor time, ms: quadratic would be 64 times as long.
  assert.ok(large < Math.max(30 * small, 50), `${small} ms for 8 kB, ${large} ms for 64 kB`);
});

function timed(length: number): number {
  const filler = "x".repeat(length / 2);
  const text = `${head([`X: ${filler}`, `Content-Length: ${length / 2 - 200}`])}${filler.slice(200)}`;
  const bytes = [...text];
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run += 1) {
    const start = process.cpuUsage();
    assert.equal(frame(bytes).messages.length, 1);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

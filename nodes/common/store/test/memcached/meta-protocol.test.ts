import assert from "node:assert/strict";
import { test } from "node:test";
import { lifetimeToken, metaArithmetic, metaDelete, metaGet, metaSet } from "../../src/memcached/commands.ts";
import { type Reply, ReplyParser } from "../../src/memcached/meta-protocol.ts";

interface Read {
  readonly replies: Reply[];
  readonly broken: string[];
}

function read(chunks: readonly Buffer[], maxValueBytes = 1_000): Read {
  const replies: Reply[] = [];
  const broken: string[] = [];
  const parser = new ReplyParser(maxValueBytes, {
    reply: (reply) => void replies.push(reply),
    broken: (reason) => void broken.push(reason),
  });
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    parser.push(lent);
    lent.fill(0x58); // the next read goes into the same buffer
  }
  return { replies, broken };
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const plain = { cas: 0, seconds: 0, opaque: -1, value: undefined, text: "" };

const STREAM = latin1(
  "VA 5 c12 t-1 O7\r\na\r\nb\0\r\n" +
    "HD c9007199254740991 O8\r\n" +
    "EN O9\r\n" +
    "VA 0 c1 t60 O10\r\n\r\n" +
    "SERVER_ERROR out of memory storing object\r\n" +
    "NS c0 O11\r\nEX c0 O12\r\nNF O13\r\nMN\r\n",
);
const REPLIES: Reply[] = [
  { ...plain, code: "VA", cas: 12, seconds: -1, opaque: 7, value: latin1("a\r\nb\0") },
  { ...plain, code: "HD", cas: 9007199254740991, opaque: 8 },
  { ...plain, code: "EN", opaque: 9 },
  { ...plain, code: "VA", cas: 1, seconds: 60, opaque: 10, value: Buffer.alloc(0) },
  { ...plain, code: "SE", text: "SERVER_ERROR out of memory storing object" },
  { ...plain, code: "NS", opaque: 11 },
  { ...plain, code: "EX", opaque: 12 },
  { ...plain, code: "NF", opaque: 13 },
  { ...plain, code: "MN" },
];

test("replies of memcached 1.6.18 are read in one piece", () => {
  assert.deepEqual(read([STREAM]), { replies: REPLIES, broken: [] });
});

test("replies are read however the stream is cut in two or three", () => {
  for (let first = 0; first <= STREAM.length; first++)
    for (let second = first; second <= STREAM.length; second += 7) {
      const chunks = [STREAM.subarray(0, first), STREAM.subarray(first, second), STREAM.subarray(second)];
      assert.deepEqual(read(chunks), { replies: REPLIES, broken: [] }, `cut at ${first} and ${second}`);
    }
});

test("replies are read byte by byte", () => {
  assert.deepEqual(read(Array.from(STREAM, (byte) => Buffer.of(byte))), { replies: REPLIES, broken: [] });
});

for (const [what, text] of Object.entries({
  "a line of another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n",
  ERROR: "ERROR\r\n",
  "CLIENT_ERROR, after which nobody knows where the stream is": "CLIENT_ERROR bad data chunk\r\n",
  "a value longer than announced": "VA 3 c1 t1 O1\r\nabcd\r\n",
  "a value shorter than announced": "VA 5 c1 t1 O1\r\nabc\r\nEN O2\r\n",
  "a size that is no number": "VA 3x c1\r\nabc\r\n",
  "a negative size": "VA -1 c1\r\n\r\n",
  "no size": "VA\r\n\r\n",
  "an enormous size": "VA 99999999999999999999 c1\r\n",
  "a value above the limit": `VA 1001 c1\r\n${"x".repeat(1001)}\r\n`,
  "a CAS number that is none": "HD cfoo O1\r\n",
  "a CAS number that is not exact": "HD c9007199254740993 O1\r\n",
  "a bare line feed": "HD c1 O1\n",
  "an empty line": "\r\n",
  "a code with something glued to it": "HDX c1\r\n",
  "bytes without a line end": "x".repeat(5_000),
}))
  test(`the stream is given up: ${what}`, () => {
    for (const chunks of [[latin1(text)], Array.from(latin1(text), (byte) => Buffer.of(byte))]) {
      const { replies, broken } = read(chunks);
      assert.deepEqual(replies, []);
      assert.equal(broken.length, 1, JSON.stringify(broken));
    }
  });

test("after the stream was given up nothing more is handed out", () => {
  assert.deepEqual(read([latin1("EN O1\r\nrubbish\r\nEN O2\r\n"), latin1("EN O3\r\n")]).replies, [
    { ...plain, code: "EN", opaque: 1 },
  ]);
});

test("commands are what memcached 1.6.18 takes", () => {
  assert.equal(metaGet("r/aor/a", 1), "mg r/aor/a v c t O1\r\n");
  assert.equal(metaSet("k", 3, "60", 12, 2), "ms k 3 T60 c O2 C12\r\n");
  assert.equal(metaSet("k", 3, "60", "absent", 3), "ms k 3 T60 c O3 ME\r\n");
  assert.equal(metaSet("k", 0, "60", "any", 4), "ms k 0 T60 c O4\r\n");
  assert.equal(metaDelete("k", 12, 5), "md k O5 C12\r\n");
  assert.equal(metaDelete("k", "any", 6), "md k O6\r\n");
  assert.equal(metaArithmetic("k", 5, 60, 7), "ma k N60 J5 D5 v O7\r\n");
});

test("a lifetime beyond thirty days is a point in time for memcached, a shorter one is not", () => {
  assert.equal(lifetimeToken(2_592_000, 1_800_000_000_000), "2592000");
  assert.equal(lifetimeToken(2_592_001, 1_800_000_000_000), "1802592001");
  assert.equal(lifetimeToken(0.2, 0), "1");
});

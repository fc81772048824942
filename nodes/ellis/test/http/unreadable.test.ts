import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { Unreadable } from "../../src/http/unreadable.ts";
import { startEllis } from "../support/ellis-under-test.ts";

interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly json: unknown;
}

function read(answer: string): RawAnswer {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const [status = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
  });
  return { status: Number(status.split(" ")[1]), headers: new Map(headers), json: JSON.parse(body) };
}

async function send(t: TestContext, port: number, ...parts: readonly string[]): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.on("error", () => undefined);
  for (const part of parts) socket.write(part);
  return read(await text(socket));
}

const CLOSE = "Host: x\r\nConnection: close\r\n";

test("what is no request that a route gets has the headers and the form of all refusals", async (t) => {
  const { url } = await startEllis(t);
  const port = Number(new URL(url).port);
  for (const [status, reason, ...parts] of [
    [400, "no request", `GET /%zz HTTP/1.1\r\n${CLOSE}\r\n`],
    [414, "too long", `GET /accounts/${"a".repeat(700)}/numbers HTTP/1.1\r\n${CLOSE}\r\n`],
    [400, "no request", "nonsense\r\n\r\n"],
    [400, "no request", "GET / HTTP/9.9\r\n\r\n"],
    [400, "no request", `POST /session HTTP/1.1\r\n${CLOSE}Content-Length: x\r\n\r\n`],
    [400, "no request", `POST /session HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    [400, "no request", `GET / HTTP/1.1\r\n${CLOSE}A: b\0c\r\n\r\n`],
    [400, "Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
    [405, "proxy", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n"],
    [417, "100-continue", `GET / HTTP/1.1\r\n${CLOSE}Expect: miracles\r\n\r\n`],
    [431, "too large", `GET / HTTP/1.1\r\n${CLOSE}A: ${"a".repeat(20_000)}\r\n\r\n`],
    [
      431,
      "too large",
      `GET / HTTP/1.1\r\n${CLOSE}`,
      ...Array.from({ length: 40 }, () => `A: ${"a".repeat(1_000)}\r\n`),
    ],
    [413, "", `POST /session HTTP/1.1\r\n${CLOSE}Content-Length: 70000\r\n\r\n`],
    [404, "resource", `GET /nothing HTTP/1.1\r\n${CLOSE}\r\n`],
    [404, "resource", `PROPFIND / HTTP/1.1\r\n${CLOSE}\r\n`],
  ] as const) {
    const answer = await send(t, port, ...parts);
    const what = parts[0].slice(0, 80);
    assert.equal(answer.status, status, what);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", what);
    assert.equal(answer.headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert.equal(answer.headers.get("cache-control"), "no-store", what);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const { error, status: told, detail, reason: said } = answer.json as Record<string, unknown>;
    assert.deepEqual([error, told, detail], [true, status, {}], what);
    assert.match(String(said), new RegExp(reason), what);
  }
});

test("bytes behind a request that is being answered are no answer in its place", async (t) => {
  const { url } = await startEllis(t);
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  const guess = JSON.stringify({ email: "nobody@example.com", password: "a guess" });
  const head = `POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${guess.length}`;
  socket.write(`${head}\r\n\r\n${guess}nonsense\r\n\r\n`);
  assert.doesNotMatch(await text(socket), /can be read/);
});

test("a request that does not come to its end is told so; a connection that was reset is told nothing", async () => {
  const { refuse } = new Unreadable();
  const [ours, theirs] = duplexPair();
  refuse(Object.assign(new Error("late"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), ours);
  const { status, headers } = read(await text(theirs));
  assert.deepEqual([status, headers.get("connection")], [408, "close"]);
  const [reset] = duplexPair();
  refuse(Object.assign(new Error("reset"), { code: "ECONNRESET" }), reset);
  assert.equal(reset.destroyed, true);
});

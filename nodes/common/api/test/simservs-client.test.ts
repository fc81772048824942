import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { SimservsClient } from "../src/index.ts";

const ALICE = "sip:alice@example.com";

async function homer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
}

test("a document is read with its entity tag, and known again by it", async (t) => {
  const asked: string[] = [];
  const url = await homer(t, (request, response) => {
    asked.push(request.url ?? "");
    if (request.headers["if-none-match"] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
    else if (request.url?.includes("alice")) response.writeHead(200, { etag: '"1"' }).end("<simservs/>");
    else response.writeHead(404).end();
  });
  const client = new SimservsClient({ urls: [url], clock: fakeClock() });
  assert.deepEqual(await client.read(ALICE), { kind: "found", document: "<simservs/>", etag: '"1"' });
  assert.deepEqual(await client.read(ALICE, '"1"'), { kind: "unchanged" });
  assert.deepEqual(await client.read("sip:bob@example.com"), { kind: "notFound" });
  assert.equal(asked[0], "/simservs.ngn.etsi.org/users/sip%3Aalice%40example.com/simservs.xml");
});

test("another homer is asked when one fails or hangs; while none answers nobody waits, until a second has passed", async (t) => {
  const clock = fakeClock();
  let works = false;
  const asked = { failing: 0, hanging: 0 };
  const failing = await homer(t, (_request, response) => {
    asked.failing++;
    response.writeHead(works ? 200 : 503, { etag: '"2"' }).end("<simservs/>");
  });
  const hanging = await homer(t, () => void asked.hanging++);
  const client = new SimservsClient({ urls: [hanging, failing], clock, timeoutMs: 400, random: () => 0 });
  const first = await client.read(ALICE);
  assert.ok(first.kind === "unavailable" && first.problem.includes("status 503"));
  const second = await client.read(ALICE);
  assert.deepEqual(second, { kind: "unavailable", problem: "no homer has answered lately" });
  assert.deepEqual(asked, { failing: 1, hanging: 1 });
  works = true;
  clock.advance(1_001);
  assert.equal((await client.read(ALICE)).kind, "found");
  // The one that answered is asked first from now on.
  assert.equal((await client.read(ALICE)).kind, "found");
  assert.deepEqual(asked, { failing: 3, hanging: 2 });
});

test("what is too large, or no homer at all, is unavailable and nothing else", async (t) => {
  const large = await homer(t, (_request, response) => void response.writeHead(200).end("x".repeat(300_000)));
  const answer = await new SimservsClient({ urls: [large], clock: fakeClock() }).read(ALICE);
  assert.equal(answer.kind, "unavailable");
  const nobody = await new SimservsClient({ urls: ["http://127.0.0.1:1"], clock: fakeClock() }).read(ALICE);
  assert.equal(nobody.kind, "unavailable");
});

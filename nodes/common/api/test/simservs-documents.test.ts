import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { SimservsDocuments } from "../src/index.ts";

test("RFC 4825: documents are read, written and removed whole; a refusal says why, another fault that nothing is known", async (t) => {
  let status = 200;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${request.headers["content-type"] ?? ""}`);
      response.writeHead(status).end(status === 409 ? '<x phrase="no &lt;a&gt; &amp; b"/>' : "<simservs/>");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.listening ? server.close() : undefined));
  const address = server.address();
  const client = new SimservsDocuments(
    `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`,
    2_000,
  );
  assert.deepEqual(await client.get("sip:a@b"), { kind: "found", document: "<simservs/>" });
  assert.deepEqual(await client.put("sip:a@b", "<simservs/>"), { kind: "stored" });
  assert.deepEqual(await client.delete("sip:a@b"), { kind: "removed" });
  const path = "/simservs.ngn.etsi.org/users/sip%3Aa%40b/simservs.xml";
  assert.deepEqual(asked, [
    `GET ${path} `,
    `PUT ${path} application/vnd.etsi.simservs+xml`,
    `DELETE ${path} `,
  ]);
  status = 409;
  assert.deepEqual(await client.put("sip:a@b", "x"), { kind: "refused", problem: "no <a> & b" });
  status = 404;
  assert.deepEqual(await client.get("sip:a@b"), { kind: "notFound" });
  for (status of [403, 503]) assert.equal((await client.get("sip:a@b")).kind, "unavailable");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const nobody = await client.get("sip:a@b");
  assert.match(
    nobody.kind === "unavailable" ? nobody.problem : nobody.kind,
    /ECONNREFUSED|ECONNRESET|closed/,
  );
});

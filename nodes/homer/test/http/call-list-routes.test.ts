import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ALICES_LIST, answered, missed, post } from "../support/fragments.ts";
import { startHomer, startHomestead } from "../support/homer-under-test.ts";

const run = promisify(execFile);
const AT = Date.now() - 60_000;

test("a subscriber reads the own list by curl with --digest, zipped or not, and nobody else's", async (t) => {
  const homestead = await startHomestead(t);
  const { ut, core } = await startHomer(t, { homestead: homestead.url, callLists: "true" });
  const report = await post(core, [...answered(AT), missed(AT + 1, 2)]);
  assert.equal(report.status, 200);
  assert.deepEqual(await report.json(), { written: 3, unknown: 0 });
  const curl = async (path: string, ...more: string[]): Promise<string> =>
    (await run("curl", ["-s", "--digest", "-u", "alice@example.com:secret", ...more, `${ut}${path}`])).stdout;
  const status = ["-o", "/dev/null", "-w", "%{http_code} %{content_type}"];
  assert.equal(await curl(ALICES_LIST, ...status), "200 application/vnd.projectclearwater.call-list+xml");
  const plain = await curl(ALICES_LIST);
  assert.match(
    plain,
    /^<call-list><calls><call>.*<answered>1<\/answered>.*<answered>0<\/answered>.*<\/call-list>$/,
  );
  assert.equal(await curl(ALICES_LIST, "--compressed"), plain);
  assert.match(
    await curl(ALICES_LIST, "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-"),
    /content-encoding: gzip/i,
  );
  assert.doesNotMatch(
    await curl(ALICES_LIST, "-H", "Accept-Encoding: gzip;q=0", "-o", "/dev/null", "-D", "-"),
    /content-encoding/i,
  );
  // By the number it is the same list.
  assert.equal(await curl(ALICES_LIST.replace("sip:alice@example.com", "tel:+4930123")), plain);
  assert.match(await curl(ALICES_LIST.replace("alice", "bob"), ...status), /^403 /);
  assert.equal((await fetch(`${ut}${ALICES_LIST}`)).status, 401);
  const wrong = ["-s", ...status, "--digest", "-u", "alice@example.com:wrong", `${ut}${ALICES_LIST}`];
  assert.match((await run("curl", wrong)).stdout, /^401 /);
});

test("only GET: nobody writes a list on Ut, and fragments are taken on the core port alone", async (t) => {
  const { ut, core } = await startHomer(t, { authenticationProxies: ["127.0.0.1"], callLists: "true" });
  const asserted = { "x-3gpp-asserted-identity": '"sip:alice@example.com"' };
  for (const method of ["PUT", "DELETE"]) {
    const answer = await fetch(`${ut}${ALICES_LIST}`, { method, headers: asserted });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "GET");
  }
  assert.equal((await fetch(`${ut}${ALICES_LIST}`, { method: "POST", headers: asserted })).status, 405);
  assert.equal((await post(ut, [missed(AT)])).status, 405);
  assert.equal(
    (await fetch(`${core}${ALICES_LIST}`)).status,
    200,
    "a node of the core reads without credentials",
  );
  const page = await fetch(`${core}/org.projectclearwater.call-list/fragments`, {
    method: "POST",
    headers: { origin: "http://evil.example.com" },
    body: "{}",
  });
  assert.equal(page.status, 403);
});

test("who has the operator's key reads every list, and nothing else", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "homer-key-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "key");
  writeFileSync(file, "0123456789abcdef\n");
  const homestead = await startHomestead(t);
  const options = { homestead: homestead.url, callLists: "true", callListApiKeyFile: file };
  const { ut, core } = await startHomer(t, options);
  assert.equal((await post(core, [missed(AT)])).status, 200);
  const status = async (path: string, key: string, method = "GET"): Promise<number> =>
    (await fetch(`${ut}${path}`, { method, headers: { "ngv-api-key": key } })).status;
  assert.equal(await status(ALICES_LIST, "0123456789abcdef"), 200);
  for (const key of ["", "0123456789abcdee", "0123456789abcdef0"])
    assert.equal(await status(ALICES_LIST, key), 401);
  assert.equal(await status(ALICES_LIST, "0123456789abcdef", "DELETE"), 401);
  const simservs = "/simservs.ngn.etsi.org/users/sip:alice@example.com/simservs.xml";
  assert.equal(await status(simservs, "0123456789abcdef"), 401);
  writeFileSync(file, "short");
  await assert.rejects(startHomer(t, options), /HOMER_FILE|16 characters/);
});

test("fragments that are none are refused with the place of the mistake, and nothing of the request is kept", async (t) => {
  const { core } = await startHomer(t, { callLists: "true" });
  const good = missed(AT);
  const cases: [unknown[], RegExp][] = [
    [[], /fragments/],
    [[good, { ...good, kind: "middle" }], /fragments\.1\.kind/],
    [[good, { ...good, call: "../../etc" }], /fragments\.1\.call/],
    [[good, { ...good, startedAt: -1 }], /fragments\.1\.startedAt/],
    [[good, { ...good, startedAt: "now" }], /fragments\.1\.startedAt/],
    [[{ ...good, to: { uri: "x".repeat(600), name: "" } }], /fragments\.0\.to\.uri/],
    [[{ ...good, from: null }], /fragments\.0\.from/],
    [Array(101).fill(good), /fragments/],
  ];
  for (const [fragments, place] of cases) {
    const answer = await post(core, fragments);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), place);
  }
  const send = (body: string | Uint8Array): Promise<Response> =>
    fetch(`${core}/org.projectclearwater.call-list/fragments`, { method: "POST", body });
  for (const body of ["", "{", "null", '{"__proto__":{"fragments":[]}}', new Uint8Array([0xff, 0xfe])])
    assert.equal((await send(body)).status, 400);
  assert.equal((await send("x".repeat(2_000_000))).status, 413);
  assert.equal(await (await fetch(`${core}${ALICES_LIST}`)).text(), "<call-list><calls></calls></call-list>");
  for (const bad of ["/call-list.xml/~~/call-list", "/other.xml", ""])
    assert.equal((await fetch(`${core}${ALICES_LIST.replace("/call-list.xml", bad)}`)).status, 404, bad);
});

test("without --call-lists there are none", async (t) => {
  const { core } = await startHomer(t);
  assert.equal((await post(core, [missed(AT)])).status, 405);
  assert.equal((await fetch(`${core}${ALICES_LIST}`)).status, 404);
});

test("whoever wants to know is told by POST whose list has changed; one that does not answer holds up nothing", async (t) => {
  const told: string[] = [];
  const listener = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      told.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    listener.closeAllConnections();
    listener.close();
  });
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/changed?x=1`;
  const { core } = await startHomer(t, { callLists: "true", callListNotifyUrl: url });
  assert.equal((await post(core, answered(AT))).status, 200);
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(told[0], 'POST /changed?x=1 {"impu":"sip:alice@example.com"}');
  const deaf = await startHomer(t, { callLists: "true", callListNotifyUrl: "http://127.0.0.1:1/" });
  assert.equal((await post(deaf.core, [missed(AT)])).status, 200);
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { buildSimservs } from "@ims/ims";
import { ALICE, startHomer, startHomestead } from "../support/homer-under-test.ts";

const run = promisify(execFile);
const SIMSERVS_TYPE = "application/vnd.etsi.simservs+xml";
const DOCUMENT = buildSimservs({
  originatingIdentityPresentation: true,
  communicationWaiting: true,
  communicationDiversion: {
    active: true,
    noReplySeconds: 20,
    rules: [
      {
        id: "busy",
        conditions: [{ kind: "busy" }],
        action: {
          target: "sip:bob@example.com",
          notifyCaller: true,
          revealIdentityToCaller: true,
          revealServedUserIdentityToCaller: true,
          revealIdentityToTarget: true,
          noReplySeconds: undefined,
        },
      },
    ],
  },
});
const RULESET = "simservs/communication-diversion/cp:ruleset";
const XMLNS = "?xmlns(cp=urn:ietf:params:xml:ns:common-policy)";

function put(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, { method: "PUT", headers: { "content-type": SIMSERVS_TYPE, ...headers }, body });
}

async function errorOf(response: Response): Promise<string> {
  assert.equal(response.status, 409);
  assert.match(response.headers.get("content-type") ?? "", /^application\/xcap-error\+xml/);
  const [, element] =
    /<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error"><([a-z0-9-]+) /.exec(await response.text()) ?? [];
  return element ?? "none";
}

test("RFC 4825 §8: documents, elements and attributes by curl with --digest, on Ut, in the name of their owner alone", async (t) => {
  const homestead = await startHomestead(t);
  const { ut } = await startHomer(t, { homestead: homestead.url });
  const curl = async (
    path: string,
    ...more: string[]
  ): Promise<{ status: number; body: string; etag: string }> => {
    const given = ["-s", "-i", "-g", "--digest", "-u", "alice@example.com:secret", ...more, `${ut}${path}`];
    const { stdout } = await run("curl", given);
    const last = stdout.slice(stdout.lastIndexOf("HTTP/1.1"));
    const split = last.indexOf("\r\n\r\n");
    return {
      status: Number(last.slice(9, 12)),
      body: last.slice(split + 4),
      etag: /^etag: (.*)\r$/im.exec(last)?.[1] ?? "",
    };
  };
  const typed = (type: string, body: string): string[] => [
    "-X",
    "PUT",
    "-H",
    `Content-Type: ${type}`,
    "--data-binary",
    body,
  ];

  assert.equal((await curl(ALICE)).status, 404);
  const made = await curl(ALICE, ...typed(SIMSERVS_TYPE, DOCUMENT));
  assert.equal(made.status, 201);
  assert.deepEqual(await curl(ALICE), { status: 200, body: DOCUMENT, etag: made.etag });
  assert.equal((await curl(ALICE, "-H", `If-None-Match: ${made.etag}`)).status, 304);

  const waiting = `${ALICE}/~~/simservs/communication-waiting`;
  assert.equal((await curl(waiting)).body, '<communication-waiting active="true"/>');
  const off = await curl(
    `${waiting}/@active`,
    ...typed("application/xcap-att+xml", "false"),
    "-H",
    `If-Match: ${made.etag}`,
  );
  assert.equal(off.status, 200);
  assert.notEqual(off.etag, made.etag);
  assert.equal((await curl(`${waiting}/@active`)).body, "false");
  assert.equal(
    (
      await curl(
        `${waiting}/@active`,
        ...typed("application/xcap-att+xml", "true"),
        "-H",
        `If-Match: ${made.etag}`,
      )
    ).status,
    412,
  );

  const rule = `${ALICE}/~~/${RULESET}/cp:rule%5B@id=%22all%22%5D${XMLNS}`;
  const body =
    '<cp:rule id="all"><cp:conditions/><cp:actions><forward-to><target>tel:+49301</target></forward-to></cp:actions></cp:rule>';
  assert.equal((await curl(rule, ...typed("application/xcap-el+xml", body))).status, 201);
  assert.equal((await curl(rule)).body, body);
  assert.match(
    (await curl(`${ALICE}/~~/${RULESET}/namespace::*${XMLNS}`)).body,
    /^<cp:ruleset .*xmlns:cp="urn:ietf:params:xml:ns:common-policy"\/>$/,
  );
  assert.equal((await curl(rule, "-X", "DELETE")).status, 200);
  assert.equal((await curl(rule)).status, 404);
  // The other identity of the same subscriber means the same document.
  assert.equal((await curl(ALICE.replace("sip:alice@example.com", "tel:+49-30-123"))).status, 200);
  assert.equal((await curl(ALICE.replace("alice", "bob"))).status, 403);
  assert.match((await curl("/xcap-caps/global/index")).body, /<auid>simservs.ngn.etsi.org<\/auid>/);
  assert.equal((await curl(ALICE, "-X", "DELETE")).status, 200);
  assert.equal((await curl(ALICE)).status, 404);
});

test("RFC 7616: without credentials, with wrong ones or with those of yesterday there is a challenge, and guessing ends", async (t) => {
  const homestead = await startHomestead(t);
  const { ut, notes } = await startHomer(t, { homestead: homestead.url });
  const plain = await fetch(`${ut}${ALICE}`);
  assert.equal(plain.status, 401);
  assert.match(
    plain.headers.get("www-authenticate") ?? "",
    /^Digest realm="example.com",nonce=.*algorithm=SHA-256.*algorithm=MD5/,
  );
  const asserted = await fetch(`${ut}${ALICE}`, {
    headers: { "x-3gpp-asserted-identity": '"sip:alice@example.com"' },
  });
  assert.equal(asserted.status, 401, "who is no authentication proxy asserts nothing");
  const given = (password: string): string[] => [
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "--digest",
    "-u",
    `alice@example.com:${password}`,
    `${ut}${ALICE}`,
  ];
  assert.equal((await run("curl", given("secret"))).stdout, "404");
  for (let guess = 0; guess < 10; guess++)
    assert.equal((await run("curl", given(`guess${guess}`))).stdout, "401");
  assert.equal((await run("curl", given("secret"))).stdout, "429");
  const nonce = /nonce="([^"]+)"/.exec(plain.headers.get("www-authenticate") ?? "")?.[1] ?? "";
  const made = `${nonce.slice(0, -1)}${nonce.endsWith("A") ? "Q" : "A"}`;
  const authorization = `Digest username="bob@example.com",realm="example.com",nonce="${made}",uri="${ALICE}",response="${"0".repeat(32)}",algorithm=MD5,qop=auth,nc=00000001,cnonce="x"`;
  assert.equal((await fetch(`${ut}${ALICE}`, { headers: { authorization } })).status, 401);
  await homestead.stop();
  const away = authorization.replace(made, nonce);
  assert.equal((await fetch(`${ut}${ALICE}`, { headers: { authorization: away } })).status, 503);
  assert.match(notes().join(), /^homestead: PROVISIONING_UNREACHABLE/);
});

test("TS 24.623: an authentication proxy asserts identities, and the core needs none", async (t) => {
  const { ut, core } = await startHomer(t, { authenticationProxies: ["127.0.0.0/8"] });
  const identity = { "x-3gpp-asserted-identity": '"sip:alice@example.com", "tel:+4930123"' };
  assert.equal((await put(`${ut}${ALICE}`, DOCUMENT, identity)).status, 201);
  assert.equal((await fetch(`${ut}${ALICE}`, { headers: identity })).status, 200);
  assert.equal((await fetch(`${ut}${ALICE}`)).status, 403);
  assert.equal((await fetch(`${ut}${ALICE.replace("alice", "bob")}`, { headers: identity })).status, 403);
  const read = await fetch(`${core}${ALICE}`);
  assert.equal(await read.text(), DOCUMENT);
  assert.equal((await fetch(`${core}${ALICE}`, { headers: { origin: "http://evil.example" } })).status, 403);
});

test("RFC 4825 §11: what may not be stored is refused with its reason, and nothing is changed", async (t) => {
  const { core } = await startHomer(t);
  const url = `${core}${ALICE}`;
  const node = (what: string): string => `${url}/~~/${what}`;
  const element = { "content-type": "application/xcap-el+xml" };
  const missing = await put(node("simservs/x"), "<x/>", element);
  assert.match(
    await missing.clone().text(),
    /<ancestor>\/simservs.ngn.etsi.org\/users\/sip:alice@example.com<\/ancestor>/,
  );
  assert.equal(await errorOf(missing), "no-parent");
  assert.equal((await put(url, DOCUMENT, { "content-type": "text/xml" })).status, 415);
  const made = await put(url, DOCUMENT);
  const etag = made.headers.get("etag");
  const bomb = `<!DOCTYPE a [<!ENTITY x "${"y".repeat(1_000)}">]><simservs>&x;</simservs>`;
  const refusals: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["<simservs>", "<simservs>", "not-well-formed"],
    ["no UTF-8", Buffer.from([0x3c, 0xff, 0xfe]), "not-utf-8"],
    ["bomb", bomb, "constraint-failure"],
    ["external entity", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><simservs/>', "constraint-failure"],
    ["deep", "<a>".repeat(20_000), "constraint-failure"],
    ["other root", "<other/>", "schema-validation-error"],
    ["no URI", DOCUMENT.replace("sip:bob@example.com", "bob"), "constraint-failure"],
    [
      "rule twice",
      DOCUMENT.replace(
        "</cp:ruleset>",
        `${DOCUMENT.slice(DOCUMENT.indexOf("<cp:rule "), DOCUMENT.indexOf("</cp:ruleset>"))}</cp:ruleset>`,
      ),
      "uniqueness-failure",
    ],
  ];
  for (const [what, body, wanted] of refusals)
    assert.equal(await errorOf(await put(url, body)), wanted, what);
  assert.equal(
    await errorOf(await put(node("simservs/communication-waiting"), "<x", element)),
    "not-xml-frag",
  );
  assert.equal(
    await errorOf(await put(node("simservs/communication-waiting"), "<x/>", element)),
    "cannot-insert",
  );
  assert.equal(await errorOf(await put(node("simservs/x"), "<x/>", element)), "schema-validation-error");
  assert.equal(await errorOf(await fetch(node("simservs"), { method: "DELETE" })), "cannot-delete");
  assert.equal((await put(node("simservs/cp:x"), "<x/>", element)).status, 400);
  assert.equal((await put(url, "x".repeat(2_000_000))).status, 413);
  assert.equal((await fetch(url, { method: "POST" })).status, 405);
  assert.equal((await put(node("simservs/namespace::*"), "x", element)).status, 405);
  assert.equal((await fetch(`${core}/simservs.ngn.etsi.org/users/__proto__/simservs.xml`)).status, 404);
  const after = await fetch(url);
  assert.deepEqual([after.headers.get("etag"), await after.text()], [etag, DOCUMENT]);
});

test("two writers of one document: each change is there, and If-Match lets one of two win", async (t) => {
  const { core } = await startHomer(t);
  const url = `${core}${ALICE}`;
  const etag = (await put(url, DOCUMENT)).headers.get("etag") ?? "";
  const ids = Array.from({ length: 5 }, (_, index) => `r${index}`);
  const element = { "content-type": "application/xcap-el+xml" };
  const answers = await Promise.all(
    ids.map((id) =>
      put(
        `${url}/~~/${RULESET}/cp:rule%5B@id=%22${id}%22%5D${XMLNS}`,
        `<cp:rule id="${id}"><cp:actions><forward-to><target>sip:x@example.com</target></forward-to></cp:actions></cp:rule>`,
        element,
      ),
    ),
  );
  const made = answers.map(({ status }) => status);
  const text = await (await fetch(url)).text();
  for (const [index, id] of ids.entries()) assert.equal(text.includes(`id="${id}"`), made[index] === 201, id);
  assert.ok(made.includes(201));
  const now = (await fetch(url)).headers.get("etag") ?? "";
  assert.notEqual(now, etag);
  const race = await Promise.all([
    put(url, DOCUMENT, { "if-match": now }),
    put(url, DOCUMENT, { "if-match": now }),
  ]);
  assert.deepEqual(race.map(({ status }) => status).sort(), [200, 412]);
  assert.equal((await put(url, DOCUMENT, { "if-none-match": "*" })).status, 412);
});

test("a subscriber who has set nothing has the operator's document, until he changes a part of it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "homer-default-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(`${folder}/default.xml`, DOCUMENT);
  const { core } = await startHomer(t, { defaultDocumentFile: `${folder}/default.xml` });
  const url = `${core}${ALICE}`;
  assert.equal(await (await fetch(url)).text(), DOCUMENT);
  const changed = await put(`${url}/~~/simservs/communication-waiting/@active`, "false", {
    "content-type": "application/xcap-att+xml",
  });
  assert.equal(changed.status, 200);
  assert.match(await (await fetch(url)).text(), /<communication-waiting active="false"\/>/);
  assert.equal(await (await fetch(url.replace("alice", "bob"))).text(), DOCUMENT);
  assert.equal((await fetch(url, { method: "DELETE" })).status, 200);
  assert.equal(await (await fetch(url)).text(), DOCUMENT);
});

test("Clearwater's path, of the first drafts, names the same document", async (t) => {
  const { core } = await startHomer(t);
  const old = ALICE.replace("simservs.ngn.etsi.org", "org.etsi.ngn.simservs");
  assert.equal((await put(`${core}${old}`, DOCUMENT)).status, 201);
  assert.equal(await (await fetch(`${core}${ALICE}`)).text(), DOCUMENT);
  assert.equal((await fetch(`${core}${old}`, { method: "DELETE" })).status, 200);
  assert.equal((await fetch(`${core}${ALICE}`)).status, 404);
});

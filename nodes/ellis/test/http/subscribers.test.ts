import assert from "node:assert/strict";
import { test } from "node:test";
import { startEllis } from "../support/ellis-under-test.ts";

const K = "465b5ce8b199b49faa5f0a2ee238a6bc";
const OPC = "cd63cb71954a9f4e48a5994e37a02baf";
const PATH = "/staff/subscribers";
const ALICE = {
  impi: "alice@example.com",
  publicIdentities: [{ impu: "sip:alice@example.com" }, { impu: "tel:+16505550100", barred: true }],
  credentials: { k: K, opc: OPC },
};

test("staff adds, sees, changes and deletes subscribers; what they prove themselves with goes in and never out", async (t) => {
  const { ask, staff, homestead, homer } = await startEllis(t);
  const [session, viewer] = [await staff("operator"), await staff("viewer")];
  const own = `${PATH}/${ALICE.impi}`;
  const added = await ask("POST", PATH, { session, json: ALICE });
  assert.equal(added.status, 201);
  assert.equal((await ask("POST", PATH, { session, json: ALICE })).status, 409);
  const seen = await ask("GET", own, { session: viewer });
  assert.equal(seen.status, 200);
  for (const answer of [added, seen]) assert.doesNotMatch(answer.text, new RegExp(`${K}|${OPC}`));
  const change = (json: object) => ask("PATCH", own, { session, json });
  assert.equal((await change({ addPublicIdentities: [{ impu: "sip:al@example.com" }] })).status, 200);
  assert.deepEqual(
    homestead.subscribers.get(ALICE.impi)?.publicIdentities.map(({ impu }) => impu),
    ["sip:alice@example.com", "tel:+16505550100", "sip:al@example.com"],
  );
  assert.equal((await change({ credentials: { sqn: "000000000000" } })).status, 200);
  assert.equal((await ask("POST", `${own}/deregister`, { session })).status, 204);
  homer.documents.set("sip:alice@example.com", "<simservs/>");
  assert.equal((await ask("DELETE", own, { session })).status, 204);
  assert.equal(homer.documents.size, 0);
  assert.equal((await ask("GET", own, { session: viewer })).status, 404);
});

test("what is wrong with a subscriber is told field by field, without what was given", async (t) => {
  const { ask, staff, homestead } = await startEllis(t);
  const session = await staff("operator");
  const credentials = { k: "0g465b5c", opc: OPC };
  const refused = await ask("POST", PATH, { session, json: { ...ALICE, impi: "alice", credentials } });
  assert.equal(refused.status, 400);
  assert.deepEqual(refused.json["detail"], {
    impi: "a private identity is user@realm",
    "credentials.k": "16 octets in hexadecimal",
  });
  assert.doesNotMatch(refused.text, /0g465b5c/);
  for (const given of [
    { credentials: { k: K } },
    { credentials: { k: K, op: OPC, opc: OPC } },
    { credentials: {} },
    { credentials: { opc: OPC } },
    { king: true },
  ]) {
    const wrong = await ask("PATCH", `${PATH}/${ALICE.impi}`, { session, json: given });
    assert.equal(wrong.status, 400, JSON.stringify(given));
    assert.equal(Object.keys(wrong.json["detail"] as object).length > 0, true);
  }
  for (const body of ["{", "[]", "7", '{"impi":{"__proto__":1}}'])
    assert.equal((await ask("POST", PATH, { session, body })).status, 400, body);
  assert.equal(homestead.subscribers.size, 0);
});

test("subscribers are found by a part of an identity, page by page; a name that is HTML is a name", async (t) => {
  const { ask, staff } = await startEllis(t);
  const session = await staff("operator");
  for (const name of ["a", "b", "c", "<img/src=x>"]) {
    const impi = `${name}@example.com`;
    const json = {
      ...ALICE,
      impi,
      publicIdentities: [{ impu: `sip:${encodeURIComponent(name)}@example.com` }],
    };
    const { status } = await ask("POST", PATH, { session, json });
    assert.equal(status, name.startsWith("<") ? 400 : 201);
  }
  const list = async (query: string) => {
    const { json } = await ask("GET", `${PATH}?${query}`, { session });
    return [(json["subscribers"] as { impi: string }[]).map(({ impi }) => impi), json["next"]];
  };
  assert.deepEqual(await list("limit=2"), [["a@example.com", "b@example.com"], "b@example.com"]);
  assert.deepEqual(await list("limit=2&after=b@example.com"), [["c@example.com"], undefined]);
  assert.deepEqual(await list("search=c@"), [["c@example.com"], undefined]);
  assert.equal((await ask("GET", `${PATH}?limit=9999`, { session })).status, 400);
});

test("filter criteria and settings of services are a subscriber's, as XML", async (t) => {
  const { ask, staff } = await startEllis(t);
  const [session, viewer] = [await staff("operator"), await staff("viewer")];
  await ask("POST", PATH, { session, json: ALICE });
  const ifcs = `${PATH}/${ALICE.impi}/ifcs`;
  const xml =
    "<ServiceProfile><InitialFilterCriteria><Priority>1</Priority><ApplicationServer><ServerName>sip:as@example.com</ServerName></ApplicationServer></InitialFilterCriteria></ServiceProfile>";
  assert.equal((await ask("PUT", ifcs, { session: viewer, body: xml })).status, 403);
  assert.equal((await ask("PUT", ifcs, { session, body: xml })).status, 204);
  assert.match((await ask("GET", ifcs, { session: viewer })).text, /<ServerName>sip:as@example.com/);
  assert.equal((await ask("PUT", ifcs, { session, body: "<ServiceProfile><" })).status, 400);
  assert.equal((await ask("PUT", ifcs, { session, body: "<a>".repeat(2_000) })).status, 400);
  const simservs = (impu: string) => `${PATH}/${ALICE.impi}/simservs/${encodeURIComponent(impu)}`;
  const own = simservs("sip:alice@example.com");
  assert.match((await ask("GET", own, { session: viewer })).text, /<simservs/);
  assert.equal((await ask("PUT", own, { session, body: "<simservs>1</simservs>" })).status, 204);
  assert.equal((await ask("GET", own, { session: viewer })).text, "<simservs>1</simservs>");
  assert.equal((await ask("PUT", own, { session, body: "<other/>" })).status, 400);
  assert.equal((await ask("GET", simservs("sip:bob@example.com"), { session })).status, 404);
});

test("a homestead that is away is 502 in clear words", async (t) => {
  const { ask, staff, homestead } = await startEllis(t);
  const session = await staff("operator");
  for (const fault of ["fails", "resets"] as const) {
    homestead.behave(fault);
    const answer = await ask("GET", PATH, { session });
    assert.equal(answer.status, 502);
    assert.match(String(answer.json["reason"]), /^homestead: /);
  }
});

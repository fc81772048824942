import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSimservs, readSimservs } from "@ims/ims";
import { type EllisUnderTest, startEllis } from "../support/ellis-under-test.ts";

const ALICE = "alice@example.com";
const NUMBERS = `/accounts/${ALICE}/numbers`;

async function allocate(
  { ask }: EllisUnderTest,
  session: string,
  form: Record<string, string> = {},
): Promise<Record<string, string>> {
  const answer = await ask("POST", `${NUMBERS}/`, { session, form });
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Record<string, string>;
}

const pathOf = (number: Record<string, string>, rest = ""): string =>
  `${NUMBERS}/${encodeURIComponent(number["sip_uri"] ?? "")}${rest}`;

test("a number of the pool is given with its private identity and a password, listed without it, and taken back", async (t) => {
  const ellis = await startEllis(t, { numbers: ["6505550100-6505550100"] });
  const { ask, signUp, homestead } = ellis;
  const session = await signUp(ALICE);
  const number = await allocate(ellis, session);
  const { number_id: id, sip_password: password, ...rest } = number;
  assert.match(id ?? "", /^[0-9a-f]{32}$/);
  assert.match(password ?? "", /^[A-Za-z2-9]{16}$/);
  assert.deepEqual(rest, {
    sip_uri: "sip:6505550100@example.com",
    sip_username: "6505550100",
    domain: "example.com",
    number: "6505550100",
    formatted_number: "(650) 555-0100",
    private_id: "6505550100@example.com",
    pstn: false,
    gab_listed: 0,
  });
  assert.equal(homestead.passwords.get("6505550100@example.com"), password);
  const listed = await ask("GET", NUMBERS, { session });
  assert.deepEqual(listed.json, { numbers: [{ number_id: id, ...rest }] });
  const none = await ask("POST", NUMBERS, { session });
  assert.deepEqual([none.status, none.json["reason"]], [503, "No available numbers"]);

  // Unescaped, escaped, with a slash at the end: as the tools write it.
  assert.equal((await ask("DELETE", `${NUMBERS}/sip:6505550100@example.com/`, { session })).status, 200);
  assert.equal(homestead.subscribers.size, 0);
  assert.equal((await ask("DELETE", pathOf(number), { session })).status, 404);
  assert.equal((await allocate(ellis, session))["number"], "6505550100");
});

test("TS 23.228 §4.3.3.4: another number of a private identity joins its set, which goes from the last one on", async (t) => {
  const ellis = await startEllis(t);
  const { ask, signUp, homestead } = ellis;
  const session = await signUp(ALICE);
  const first = await allocate(ellis, session);
  const second = await allocate(ellis, session, { private_id: first["private_id"] ?? "", pstn: "true" });
  assert.equal(second["private_id"], first["private_id"]);
  assert.equal(second["sip_password"], undefined);
  const impus = () =>
    homestead.subscribers.get(first["private_id"] ?? "")?.publicIdentities.map(({ impu }) => impu);
  assert.deepEqual(impus(), [first["sip_uri"], second["sip_uri"], `tel:${second["number"]}`]);

  const refused = await ask("DELETE", pathOf(first), { session });
  assert.equal(refused.status, 409);
  assert.match(String(refused.json["reason"]), /Delete the other numbers/);
  assert.equal((await ask("DELETE", pathOf(second), { session })).status, 200);
  assert.deepEqual(impus(), [first["sip_uri"]]);

  const bob = await signUp("bob@example.com");
  const stranger = await ask("POST", "/accounts/bob@example.com/numbers", {
    session: bob,
    form: { private_id: first["private_id"] ?? "" },
  });
  assert.equal(stranger.status, 404);
  assert.equal((await ask("DELETE", `/accounts/${ALICE}`, { session })).status, 204);
  assert.equal(homestead.subscribers.size, 0);
});

test("an operator provides that very number, with a private identity that is there or new", async (t) => {
  const ellis = await startEllis(t);
  const { ask, signUp, key, homestead } = ellis;
  const session = await signUp(ALICE);
  const path = (uri: string, query = "") => `${NUMBERS}/${encodeURIComponent(uri)}${query}`;
  assert.equal((await ask("POST", path("sip:alice@example.com"), { session })).status, 403);
  const made = await ask("POST", path("sip:alice@example.com"), { key, form: {} });
  assert.equal(made.status, 200);
  assert.equal(made.json["private_id"], ALICE);
  assert.match(String(made.json["sip_password"]), /^\w{16}$/);
  const query = "?private_id=al@example.com&new_private_id=true";
  const other = await ask("POST", path("sip:al@example.com", query), { key });
  assert.equal(homestead.passwords.get("al@example.com"), other.json["sip_password"]);
  const joined = await ask("POST", path("sip:+16505550301@example.com", `?private_id=${ALICE}`), { key });
  assert.deepEqual([joined.status, joined.json["pstn"]], [200, true]);
  const statuses: number[] = [];
  for (const [uri, more] of [
    ["sip:alice@example.com", ""],
    ["sip:+16505550301@example.com", ""],
    ["sip:alice@example.net", ""],
    ["alice", ""],
    ["sip:new@example.com", "?private_id=nobody@example.com"],
  ] as const)
    statuses.push((await ask("POST", path(uri, more), { key })).status);
  assert.deepEqual(statuses, [409, 409, 400, 400, 404]);
  assert.equal((await ask("GET", NUMBERS, { session })).text.match(/number_id/g)?.length, 3);
});

test("a number that was provisioned by other means is passed over", async (t) => {
  const ellis = await startEllis(t, { numbers: ["6505550100-6505550101"] });
  const impi = "6505550100@example.com";
  const taken = { impu: `sip:${impi}`, barred: false, state: "registered" };
  ellis.homestead.subscribers.set(impi, { impi, publicIdentities: [taken], authentication: ["digest"] });
  const session = await ellis.signUp(ALICE);
  assert.equal((await allocate(ellis, session))["number"], "6505550101");
  assert.equal((await ellis.ask("POST", NUMBERS, { session })).status, 503);
  assert.equal(ellis.homestead.subscribers.get(impi)?.publicIdentities.length, 1);
});

test("what homestead does not do is not done here either: no number is lost, none is half there", async (t) => {
  const ellis = await startEllis(t, { numbers: ["6505550100-6505550100"] });
  const { ask, signUp, homestead, homer, notes } = ellis;
  const session = await signUp(ALICE);
  for (const fault of ["fails", "resets"] as const) {
    homestead.behave(fault);
    assert.equal((await ask("POST", NUMBERS, { session })).status, 502);
    assert.deepEqual((await ask("GET", NUMBERS, { session })).json, { numbers: [] });
  }
  assert.match(notes().join(), /^homestead: /);
  homestead.behave("none");
  const number = await allocate(ellis, session);
  assert.deepEqual(notes(), []);
  homestead.behave("fails");
  assert.equal((await ask("DELETE", pathOf(number), { session })).status, 502);
  assert.equal((await ask("POST", pathOf(number, "/password"), { session })).status, 502);
  assert.equal((await ask("GET", pathOf(number, "/ifcs"), { session })).status, 502);
  homestead.behave("none");
  homer.behave("fails");
  assert.equal((await ask("DELETE", pathOf(number), { session })).status, 502);
  assert.equal((await ask("DELETE", `/accounts/${ALICE}`, { session })).status, 502);
  assert.equal(homestead.subscribers.size, 1);
  homer.behave("none");
  assert.equal((await ask("DELETE", `/accounts/${ALICE}`, { session })).status, 204);
});

test("an account has so many numbers, and no more", async (t) => {
  const ellis = await startEllis(t, { numbersPerAccount: 2 });
  const session = await ellis.signUp(ALICE);
  await Promise.all([allocate(ellis, session), allocate(ellis, session)]);
  const refused = await ellis.ask("POST", NUMBERS, { session });
  assert.deepEqual([refused.status, refused.json["reason"]], [400, "An account has 2 numbers at most"]);
});

test("a password for SIP is made anew", async (t) => {
  const ellis = await startEllis(t);
  const session = await ellis.signUp(ALICE);
  const number = await allocate(ellis, session);
  const reset = await ellis.ask("POST", pathOf(number, "/password"), { session });
  assert.equal(reset.status, 200);
  assert.notEqual(reset.json["sip_password"], number["sip_password"]);
  assert.equal(ellis.homestead.passwords.get(number["private_id"] ?? ""), reset.json["sip_password"]);
  const subscriber = ellis.homestead.subscribers.get(number["private_id"] ?? "");
  subscriber?.authentication.push("aka");
  const sim = await ellis.ask("POST", pathOf(number, "/password"), { session });
  assert.equal(sim.status, 409);
  assert.match(String(sim.json["reason"]), /authenticated by a SIM/);
});

test("simservs documents of a number are homer's, whatever media type a tool says; they go with the number", async (t) => {
  const ellis = await startEllis(t);
  const { ask, signUp, homer } = ellis;
  const session = await signUp(ALICE);
  const number = await allocate(ellis, session);
  const path = pathOf(number, "/simservs");
  const fresh = await ask("GET", path, { session });
  assert.equal(readSimservs(fresh.text).kind, "simservs");
  const document = buildSimservs({ communicationWaiting: true });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await ask("PUT", path, { session, body: document, headers })).status, 200);
  assert.equal((await ask("GET", path, { session })).text, document);
  assert.equal(homer.documents.get(`sip:${number["private_id"]}`), document);
  const refused = await ask("PUT", path, { session, body: "<other/>" });
  assert.deepEqual(
    [refused.status, refused.json["reason"]],
    [400, "homer refuses the document: no <simservs>"],
  );
  homer.behave("resets");
  assert.equal((await ask("GET", path, { session })).status, 502);
  homer.behave("none");
  await ask("DELETE", pathOf(number), { session });
  assert.equal(homer.documents.size, 0);
});

test("TS 29.228 annex E: filter criteria of a number are read and set, also without the priority that tools leave out", async (t) => {
  const ellis = await startEllis(t, { applicationServer: "sip:mmtel.example.com" });
  const { ask, signUp, homestead } = ellis;
  const session = await signUp(ALICE);
  const number = await allocate(ellis, session);
  const path = pathOf(number, "/ifcs");
  const first = await ask("GET", path, { session });
  assert.match(
    first.text,
    /<ServiceProfile><InitialFilterCriteria>.*<Method>INVITE<\/Method>.*sip:mmtel\.example\.com/s,
  );
  const criteria = (server: string, priority = "") =>
    `<InitialFilterCriteria>${priority}<TriggerPoint><ConditionTypeCNF>0</ConditionTypeCNF><SPT><ConditionNegated>0</ConditionNegated><Group>0</Group><Method>INVITE</Method><Extension></Extension></SPT></TriggerPoint><ApplicationServer><ServerName>${server}</ServerName><DefaultHandling>0</DefaultHandling></ApplicationServer></InitialFilterCriteria>`;
  const body = `<?xml version="1.0"?><ServiceProfile>${criteria("sip:a")}${criteria("sip:b", "<Priority>1</Priority>")}${criteria("sip:c")}</ServiceProfile>`;
  assert.equal((await ask("PUT", path, { session, body })).status, 200);
  const stored = homestead.subscribers.get(number["private_id"] ?? "")?.services?.["initialFilterCriteria"];
  assert.deepEqual(
    (stored as { priority: number; applicationServer: { serverName: string } }[]).map((each) => [
      each.priority,
      each.applicationServer.serverName,
    ]),
    [
      [0, "sip:a"],
      [1, "sip:b"],
      [2, "sip:c"],
    ],
  );
  const back = await ask("GET", path, { session });
  assert.equal((await ask("PUT", path, { session, body: back.text })).status, 200);
  assert.equal((await ask("GET", path, { session })).text, back.text);
  for (const wrong of [
    "<ServiceProfile>",
    "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><ServiceProfile>&a;</ServiceProfile>",
    `${"<a>".repeat(20_000)}`,
    `<ServiceProfile>${"<InitialFilterCriteria/>".repeat(2_000)}</ServiceProfile>`,
    `<ServiceProfile>${criteria("sip:a", "<Priority>x</Priority>")}</ServiceProfile>`,
    `<ServiceProfile>${criteria("sip:a").replace("INVITE</Method>", "INVITE</Method><RequestURI>(((</RequestURI>")}</ServiceProfile>`.replace(
      "<Method>INVITE</Method>",
      "",
    ),
  ]) {
    const refused = await ask("PUT", path, { session, body: wrong });
    assert.equal(refused.status, 400, wrong.slice(0, 60));
  }
  assert.equal((await ask("GET", path, { session })).text, back.text);
  assert.equal((await ask("PUT", path, { session, body: "<ServiceProfile/>" })).status, 200);
  assert.doesNotMatch((await ask("GET", path, { session })).text, /InitialFilterCriteria/);
});

test("the address book has the numbers that their users list, of all accounts", async (t) => {
  const ellis = await startEllis(t);
  const { ask, signUp } = ellis;
  const session = await signUp(ALICE);
  const number = await allocate(ellis, session);
  const listed = pathOf(number, "/listed");
  assert.deepEqual((await ask("GET", listed, { session })).json, { gab_listed: 0 });
  assert.equal((await ask("PUT", `${listed}/1`, { session })).status, 200);
  assert.equal((await ask("PUT", `${listed}/2`, { session })).status, 404);
  assert.deepEqual((await ask("GET", listed, { session })).json, { gab_listed: 1 });
  const bob = await signUp("bob@example.com");
  const contacts = [{ email: ALICE, full_name: "Somebody", numbers: [number["sip_uri"]] }];
  assert.deepEqual((await ask("GET", "/gab", { session: bob })).json, { contacts });
  assert.deepEqual((await ask("GET", "/1/gab/", { session: bob })).json, { contacts });
  assert.equal((await ask("GET", "/gab")).status, 403);
  await ask("DELETE", pathOf(number), { session });
  assert.deepEqual((await ask("GET", "/gab", { session: bob })).json, { contacts: [] });
});

test("ranges of numbers are an operator's to add and to remove", async (t) => {
  const ellis = await startEllis(t, { numbers: [] });
  const { ask, signUp, key } = ellis;
  const session = await signUp(ALICE);
  assert.equal((await ask("POST", NUMBERS, { session })).status, 503);
  assert.equal((await ask("POST", "/number-ranges", { session, json: {} })).status, 403);
  const range = { first: "6505550900", count: 1, pstn: false };
  const added = await ask("POST", "/number-ranges", { key, json: range });
  assert.deepEqual([added.status, added.json], [201, range]);
  assert.equal((await ask("POST", "/number-ranges", { key, json: range })).status, 409);
  assert.equal((await ask("POST", "/number-ranges", { key, json: { first: "x", count: 1 } })).status, 400);
  assert.equal((await allocate(ellis, session))["number"], "6505550900");
  assert.equal((await ask("DELETE", "/number-ranges/6505550900", { key })).status, 204);
  const configured = await ask("DELETE", `/number-ranges/${encodeURIComponent("+16505550300")}`, { key });
  assert.equal(configured.status, 409);
  assert.deepEqual((await ask("GET", "/number-ranges", { key })).json, {
    ranges: [{ first: "+16505550300", count: 10, pstn: true }],
  });
});

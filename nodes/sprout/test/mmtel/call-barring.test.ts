import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, Simservs } from "@ims/ims";
import { ALICE, BOB_URI, bars, type CallFields, calls, mmtelBench, statuses } from "../support/mmtel.ts";

type Part = "incomingBarring" | "outgoingBarring";

/** Status of the refusal of a call of Alice to Bob, or "rings". */
async function outcome(
  part: Part,
  service: Simservs[Part],
  fields: CallFields = {},
): Promise<number | "rings"> {
  const user = part === "incomingBarring" ? BOB_URI : ALICE;
  const b = await mmtelBench({ simservs: { [user]: service === undefined ? {} : { [part]: service } } });
  const sent = await calls(b, fields);
  const [status] = statuses(sent);
  if (status !== undefined)
    assert.ok(b.counted.includes(status === 433 ? "anonymousRejected" : "barred") || status === 404);
  return status ?? "rings";
}

const incoming = (conditions: readonly Condition[], fields?: CallFields) =>
  outcome("incomingBarring", bars(conditions), fields);
const outgoing = (conditions: readonly Condition[], fields?: CallFields) =>
  outcome("outgoingBarring", bars(conditions), fields);

test("TS 24.611 §4.5.2: all incoming calls and messages are barred with 603, and nothing else", async () => {
  assert.equal(await incoming([]), 603);
  assert.equal(await incoming([], { method: "MESSAGE" }), 603);
  assert.equal(await incoming([], { method: "OPTIONS" }), "rings");
  assert.equal(await outgoing([]), 603);
  assert.equal(await outcome("incomingBarring", { ...bars([]), active: false }), "rings");
  assert.equal(await outcome("incomingBarring", undefined), "rings");
});

test("TS 24.611 §4.9: one rule that allows is enough, whatever others bar", async () => {
  const both = bars([]);
  const allowing = {
    id: "friend",
    conditions: [{ kind: "identity", one: [ALICE], many: [] } as const],
    action: { allow: true },
  };
  assert.equal(await outcome("incomingBarring", { active: true, rules: [...both.rules, allowing] }), "rings");
});

test("TS 24.611 §4.5.2 ACR: a caller who is not to be known gets 433", async () => {
  const anonymous = [{ kind: "anonymous" }] as const;
  assert.equal(await incoming(anonymous), "rings");
  for (const privacy of ["id", "header;id", "user"])
    assert.equal(await incoming(anonymous, { headers: [`Privacy: ${privacy}`] }), 433, privacy);
  assert.equal(await incoming(anonymous, { headers: ["Privacy: none"] }), "rings");
});

test("RFC 4745 §7.1: identities, one by one, by domain, with exceptions, and all others", async () => {
  const identity = (
    one: readonly string[],
    domain?: string,
    exceptIds: readonly string[] = [],
  ): Condition => ({
    kind: "identity",
    one,
    many: domain === undefined ? [] : [{ domain, exceptIds, exceptDomains: [] }],
  });
  assert.equal(await incoming([identity([ALICE])]), 603);
  assert.equal(await incoming([identity(["tel:+15550001"])]), 603, "her other asserted identity");
  assert.equal(await incoming([identity(["sip:carol@example.com"])]), "rings");
  assert.equal(await incoming([identity([], "example.com")]), 603);
  assert.equal(await incoming([identity([], "example.com", [ALICE, "tel:+15550001"])]), "rings");
  assert.equal(await outgoing([identity([BOB_URI])]), 603);
  const friends = { id: "friends", conditions: [identity([ALICE])], action: { allow: true } };
  const others = {
    id: "others",
    conditions: [{ kind: "other-identity" } as const],
    action: { allow: false },
  };
  assert.equal(await outcome("incomingBarring", { active: true, rules: [friends, others] }), "rings");
  const carol = { ...friends, conditions: [identity(["sip:carol@example.com"])] };
  assert.equal(await outcome("incomingBarring", { active: true, rules: [carol, others] }), 603);
});

test("TS 24.611 §4.9: media, validity, diverted calls, rules switched off and conditions nobody knows", async () => {
  assert.equal(await incoming([{ kind: "media", media: "video" }], { media: "video" }), 603);
  assert.equal(await incoming([{ kind: "media", media: "video" }], { media: "audio" }), "rings");
  const b = await mmtelBench();
  const now = b.clock.now();
  const during = (from: number, until: number): Condition => ({
    kind: "validity",
    periods: [{ from: now + from, until: now + until }],
  });
  assert.equal(await incoming([during(-3_600_000, 3_600_000)]), 603);
  assert.equal(await incoming([during(3_600_000, 7_200_000)]), "rings");
  const diverted = ["History-Info: <sip:x@example.com>;index=1, <sip:bob@example.com;cause=302>;index=1.1"];
  assert.equal(await incoming([{ kind: "communication-diverted" }], { headers: diverted }), 603);
  assert.equal(await incoming([{ kind: "communication-diverted" }]), "rings");
  assert.equal(await incoming([{ kind: "rule-deactivated" }]), "rings");
  assert.equal(await incoming([{ kind: "unknown", name: "moon-phase" }]), "rings");
});

test("TS 24.611 §4.9 international, international-exHC: by the number and where the user is", async () => {
  const international = [{ kind: "international" }] as const;
  const exHome = [{ kind: "international-exHC" }] as const;
  const inFrance = ["P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2080112345678"];
  // 404: nothing routes the number from here on; it was not barred.
  const cases: readonly (readonly [readonly Condition[], string, readonly string[], number | "rings"])[] = [
    [international, "tel:+33123456", [], 603],
    [international, "tel:0033123456;phone-context=example.com", [], 603],
    [international, "sip:+33123456@example.com;user=phone", [], 603],
    [international, "tel:+4930123456", [], 404],
    [international, "tel:030123456;phone-context=+49", [], 404],
    [international, "tel:030123456;phone-context=example.com", [], 404],
    [international, BOB_URI, [], "rings"],
    [international, "tel:+33123456", inFrance, 404],
    [international, "tel:+4930123456", inFrance, 603],
    [exHome, "tel:+4930123456", inFrance, 404],
    [exHome, "tel:+33123456", inFrance, 404],
    [exHome, "tel:+44123456", inFrance, 603],
    [exHome, "tel:+44123456", [], 603],
  ];
  for (const [conditions, uri, headers, wanted] of cases)
    assert.equal(await outgoing(conditions, { uri, headers }), wanted, `${uri} ${headers}`);
});

test("TS 24.611 §4.9 roaming: known of the caller from the request, of who is called from the registration", async () => {
  const roaming = [{ kind: "roaming" }] as const;
  const visited = (network: string): string[] => [`P-Visited-Network-ID: "${network}"`];
  assert.equal(await outgoing(roaming, { headers: visited("visited.example.net") }), 603);
  assert.equal(await outgoing(roaming, { headers: visited("ims.mnc002.mcc262.3gppnetwork.org") }), "rings");
  assert.equal(
    await outgoing(roaming, { headers: visited("ims.mnc001.mcc262.3gppnetwork.org") }),
    "rings",
    "by its PLMN",
  );
  assert.equal(
    await outgoing(roaming, { headers: ["P-Access-Network-Info: 3GPP-UTRAN;utran-cell-id-3gpp=2080112345"] }),
    603,
  );
  assert.equal(await outgoing(roaming), "rings");

  const b = await mmtelBench({ simservs: { [BOB_URI]: { incomingBarring: bars(roaming) } } });
  const thirdParty = (network: string, expires: number): string =>
    b.request("REGISTER", {
      uri: "sip:mmtel.example.com",
      to: BOB_URI,
      headers: [
        "Route: <sip:mmtel.example.com;lr>",
        `P-Visited-Network-ID: "${network}"`,
        `Expires: ${expires}`,
      ],
    });
  assert.deepEqual(statuses(await b.send(thirdParty("visited.example.net", 600), b.toScscf)), [200]);
  assert.deepEqual(statuses(await calls(b)), [603]);
  assert.deepEqual(statuses(await b.send(thirdParty("visited.example.net", 0), b.toScscf)), [200]);
  assert.deepEqual(statuses(await calls(b)), []);
});

test("TS 24.611 §4.5.2: an emergency call is never barred", async () => {
  assert.notEqual(await outgoing([], { uri: "urn:service:sos" }), 603);
});

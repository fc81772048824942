import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const ALICE = "sip:6505550000@example.com";
const BOB = "sip:6505550001@example.com";
const MALLORY = "mallory";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
  await core.addSubscriber({
    impi: `${MALLORY}@example.com`,
    impus: [`sip:${MALLORY}@example.com`],
    password: "secret",
  });
});
after(() => core.stop());

async function registered(t: TestContext, user: string, address = "127.0.0.1"): Promise<SipUe> {
  const ue = await SipUe.open(t, core, { user, address });
  assert.equal((await ue.register()).status, 200);
  assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
  assert.equal((await ue.register()).status, 200);
  return ue;
}

/** Does a MESSAGE still reach that UE? */
async function isReachable(ue: SipUe, from: SipUe): Promise<boolean> {
  const message = from.request("MESSAGE", ue.impu, { callId: `${from.callId}-${Math.random()}` });
  for (const route of from.serviceRoute) message.append("Route", route);
  from.send(message.setBody("there?", "text/plain"));
  const received = await ue.incoming("MESSAGE").catch(() => undefined);
  if (received !== undefined) reply(ue, received, 200);
  return (await from.final("MESSAGE")).status === 200 && received !== undefined;
}

/** The lines of a request as text, with more put before the empty line. */
function withLines(request: SipMessage, lines: readonly string[]): string {
  return request
    .append("Content-Length", "0")
    .toString()
    .replace("\r\n\r\n", `\r\n${lines.join("\r\n")}\r\n\r\n`);
}

const SPELLINGS = [
  "P-Asserted-Identity: <sip:6505550000@example.com>",
  "p-asserted-identity:<sip:6505550000@example.com>",
  "P-ASSERTED-IDENTITY \t: <sip:6505550000@example.com>",
  "P-Asserted-Identity:\r\n <sip:6505550000@example.com>",
  'P-Asserted-Identity: "Alice" <sip:6505550000@example.com>, <tel:+16505550000>',
  "P-Asserted-Identity: sip:6505550000@example.com",
  "P-Asserted-Identity: <sip:x@example.com>\r\nP-Asserted-Identity: <sip:6505550000@example.com>",
  "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel",
  "P-Served-User: <sip:6505550000@example.com>;sescase=orig;regstate=reg",
  "P-Preferred-Identity: <sip:6505550000@example.com>",
  "P-Preferred-Identity: <sip:6505550000@example.com>, <sip:6505550000@example.com;user=phone>",
  "Remote-Party-ID: <sip:6505550000@example.com>;party=calling;screen=yes",
  "History-Info: <sip:6505550000@example.com>;index=1",
];

test("TS 24.229 §4.4, §5.2.6.3: nothing a UE says about who it is reaches the callee as asserted", async (t) => {
  const mallory = await registered(t, MALLORY);
  const bob = await registered(t, "6505550001");
  for (const [index, spelling] of SPELLINGS.entries()) {
    const request = mallory.request("OPTIONS", BOB, { callId: `spelling${index}`, from: `<${ALICE}>;tag=x` });
    mallory.sendText(withLines(request, [spelling]));
    const received = await bob.incoming("OPTIONS");
    assert.deepEqual(received.values("P-Asserted-Identity"), [`<sip:${MALLORY}@example.com>`], spelling);
    for (const name of ["P-Served-User", "History-Info", "P-Asserted-Service", "Remote-Party-ID"])
      assert.deepEqual(received.lines(name), [], `${name} by ${spelling}`);
    assert.equal(received.has("P-Preferred-Identity"), false);
    reply(bob, received, 200);
    assert.equal((await mallory.final("OPTIONS")).status, 200);
  }
});

test("TS 24.229 §5.2.6.4.4: what a callee says about who it is does not reach the caller as asserted", async (t) => {
  const mallory = await registered(t, MALLORY);
  const bob = await registered(t, "6505550001");
  const request = bob.request("OPTIONS", mallory.impu, { callId: "callee-spelling" });
  bob.send(request);
  const received = await mallory.incoming("OPTIONS");
  const answer = received.clone();
  mallory.sendText(
    [
      "SIP/2.0 200 OK",
      ...received.values("Via").map((via) => `Via: ${via}`),
      `From: ${received.header("From")}`,
      `To: ${received.header("To")};tag=1`,
      `Call-ID: ${answer.callId}`,
      `CSeq: ${answer.header("CSeq")}`,
      "p-asserted-identity : <sip:6505550000@example.com>",
      "Remote-Party-ID: <sip:6505550000@example.com>;party=called",
      "Content-Length: 0\r\n\r\n",
    ].join("\r\n"),
  );
  const got = await bob.final("OPTIONS");
  assert.deepEqual(got.values("P-Asserted-Identity"), [`<sip:${MALLORY}@example.com>`]);
  assert.deepEqual(got.lines("Remote-Party-ID"), []);
});

test("TS 24.229 §5.4.1.2: nobody registers, refreshes or deregisters somebody else", async (t) => {
  const alice = await registered(t, "6505550000", "127.0.0.31");
  const bob = await registered(t, "6505550001", "127.0.0.32");
  const mallory = await registered(t, MALLORY, "127.0.0.33");
  const plain = `Digest username="6505550000@example.com", realm="example.com", nonce="", uri="sip:example.com", response=""`;
  const attempts: Record<string, (request: SipMessage) => void> = {
    "the To of somebody else": (request) => void request.set("To", `<${ALICE}>`),
    "integrity-protected by himself": (request) =>
      void request
        .set("To", `<${ALICE}>`)
        .set("From", `<${ALICE}>;tag=m`)
        .set("Authorization", `${plain}, integrity-protected="ip-assoc-yes"`),
    "yes in capitals": (request) =>
      void request
        .set("To", `<${ALICE}>`)
        .set("From", `<${ALICE}>;tag=m`)
        .set("Authorization", `${plain} , INTEGRITY-Protected = yes`),
    "two credentials": (request) => {
      const own = request.header("Authorization") ?? "";
      request.set("Authorization", plain).append("Authorization", own);
      request.set("To", `<${ALICE}>`);
    },
    "the credentials of his own second": (request) => {
      request.set("To", `<${ALICE}>`).append("Authorization", `${plain}, integrity-protected="tls-yes"`);
    },
    "the escaped To of somebody else": (request) => void request.set("To", "<sip:%36505550000@EXAMPLE.com>"),
  };
  for (const expires of [600, 0])
    for (const [what, edit] of Object.entries(attempts))
      for (const contact of [mallory.contact, alice.contact, "*"]) {
        if (contact === "*" && expires > 0) continue;
        const answer = await mallory.register({ expires, contact, edit, rounds: 2 });
        assert.ok(answer.status >= 400, `${what} with ${contact}: ${answer.status}`);
      }
  assert.equal(await isReachable(alice, bob), true);
  assert.equal(await isReachable(mallory, bob), true);
});

test("RFC 7616 §3.4: credentials are good once, for one user, whatever source they come from", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000", address: "127.0.0.41" });
  let answered = "";
  const ok = await alice.register({
    edit: (request) => {
      answered = request.header("Authorization") ?? "";
    },
  });
  assert.equal(ok.status, 200);
  const bob = await registered(t, "6505550001", "127.0.0.42");
  const thief = await SipUe.open(t, core, { user: "6505550000", address: "127.0.0.43" });
  for (const credentials of [
    answered,
    answered.replace("nc=00000001", "nc=00000002"),
    answered.replace("nc=00000001", "nc=0000000000000002"),
    answered.replace(/, qop=auth, nc=\w+, cnonce="\w+"/, ""),
    answered.replace("algorithm=MD5", "algorithm=MD5-sess"),
  ]) {
    const answer = await thief.register({
      rounds: 0,
      edit: (request) => void request.set("Authorization", credentials),
    });
    assert.ok([401, 403].includes(answer.status), `${answer.status} ${credentials}`);
  }
  // A failed re-authentication deregisters nobody (§5.4.1.2.3).
  assert.equal(await isReachable(alice, bob), true);
});

test("RFC 3261 §12.2, §9: strangers to a dialog neither end, change nor cancel it", async (t) => {
  const alice = await registered(t, "6505550000", "127.0.0.51");
  const bob = await registered(t, "6505550001", "127.0.0.52");
  const mallory = await registered(t, MALLORY, "127.0.0.53");
  const call = await establish(alice, bob, BOB);
  // A dialog of his own, so that he has Record-Routes made for him.
  const own = await establish(mallory, bob, BOB);
  const routesOf = (request: SipMessage): string[] => request.values("Route");
  const mine = routesOf(own.inDialog("caller", "BYE"));
  const theirs = [call.inDialog("caller", "BYE"), call.inDialog("callee", "BYE")];
  for (const method of ["BYE", "INVITE", "UPDATE", "INFO", "REFER", "MESSAGE", "NOTIFY"])
    for (const original of theirs)
      for (const routes of [routesOf(original), mine, [mine[0] ?? "", ...routesOf(original).slice(1)], []]) {
        const forged = mallory.request(method, original.requestUri, {
          callId: original.callId,
          from: original.header("From") ?? "",
          to: original.header("To") ?? "",
          cseq: 900,
        });
        for (const route of routes) forged.append("Route", route);
        mallory.send(forged.append("Contact", mallory.contact));
        assert.equal((await mallory.final(method)).status, 403, `${method} ${routes[0] ?? "without Route"}`);
      }
  const ringing = inviteOf(alice, BOB);
  ringing.set("Call-ID", "to-be-cancelled");
  alice.send(ringing);
  const received = await bob.incoming("INVITE");
  const cancel = ringing.clone();
  cancel.method = "CANCEL";
  cancel.set("CSeq", `${ringing.cseqNumber} CANCEL`).remove("Contact").remove("Content-Type");
  mallory.send(cancel.setBody(""));
  assert.equal((await mallory.final("CANCEL").catch(() => undefined))?.status ?? 481, 481);
  await bob.expectNothing((one) => one.method !== "" && one.method !== "OPTIONS", 200);
  reply(bob, received, 486);
  assert.equal((await alice.final("INVITE")).status, 486);
});

test("RFC 5626 §5.3: forged flow tokens lead nowhere", async (t) => {
  const alice = await registered(t, "6505550000");
  const mallory = await registered(t, MALLORY);
  const token = "EBPEE8QAfwAAAWZvcmdlZGZvcmdlZA";
  for (const route of [
    `<sip:${token}@${core.host}:5060;lr>`,
    `<sip:${token}@${core.host}:5058;transport=tcp;lr>`,
    `<sip:${core.host}:5058;transport=tcp;lr>, <sip:${token}@${core.host}:5060;lr>`,
  ])
    for (const to of [ALICE, `<${ALICE}>;tag=callee1`]) {
      const request = mallory.request("INFO", alice.contact.replace(/[<>]/g, ""), { to });
      mallory.send(request.append("Route", route));
      const status = (await mallory.final("INFO")).status;
      assert.ok(status >= 400, String(status));
    }
  await alice.expectNothing((one) => one.method === "INFO", 100);
});

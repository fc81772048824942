import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import type { Bench } from "../support/bench.ts";
import { benchWithCriteria, type ChainOptions, ifc, method, only } from "../support/chain.ts";
import { profileXml } from "../support/fake-cx.ts";

const ALICE = { impu: "sip:alice@example.com" };

/** Alice registers; what goes to application servers. */
async function registers(
  b: Bench,
  fields: { expires?: number; headers?: readonly string[]; contact?: string } = {},
): Promise<SipMessage[]> {
  const challenged = only(await b.send(b.register({ ...ALICE, ...fields })));
  assert.equal(challenged.status, 401);
  const left = await b.send(b.register({ ...ALICE, ...fields, authorization: b.answerTo(challenged) }));
  assert.equal(left.filter(({ status }) => status === 200).length, 1);
  return left.filter((one) => one.method === "REGISTER");
}

const bench = (options: ChainOptions): Bench => benchWithCriteria(options);

test("TS 24.229 §5.4.1.7: the REGISTER to an application server names user, S-CSCF, duration and charging", async () => {
  const b = bench({ alice: [ifc(7001, { when: [method("REGISTER")] })] });
  const sent = only(
    await registers(b, {
      expires: 600,
      headers: ["P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1"],
    }),
  );
  assert.equal(sent.requestUri, "sip:127.0.0.1:7001;transport=tcp");
  assert.equal(sent.header("To"), "<sip:alice@example.com>");
  assert.match(sent.header("From") ?? "", /^<sip:127\.0\.0\.1:5054;transport=tcp>;tag=/);
  assert.equal(sent.header("Contact"), "<sip:127.0.0.1:5054;transport=tcp>");
  assert.equal(sent.header("Expires"), "600");
  assert.equal(sent.header("P-Visited-Network-ID"), '"example.com"');
  assert.equal(sent.header("P-Access-Network-Info"), "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1");
  assert.equal(sent.header("P-Charging-Vector"), 'icid-value=abc;orig-ioi="example.com"');
  assert.equal(sent.header("P-Charging-Function-Addresses"), 'ccf="aaa://ccf.example.com"');
  assert.equal(sent.has("Authorization"), false);
  assert.equal(sent.body, "");
});

test("TS 29.228 §B.2.3.2: initial registration, re-registration and deregistration are told apart", async () => {
  const b = bench({
    alice: [
      ifc(7000, { when: [method("REGISTER", [0])] }),
      ifc(7001, { when: [method("REGISTER", [1])] }),
      ifc(7002, { when: [method("REGISTER", [2])] }),
      ifc(7003, { when: [method("REGISTER")] }),
    ],
  });
  const told = (left: readonly SipMessage[]): string[] =>
    left.map((one) => `${/:(7...)/.exec(one.requestUri)?.[1]} ${one.header("Expires")}`);
  assert.deepEqual(told(await registers(b, { expires: 600 })), ["7000 600", "7003 600"]);
  assert.deepEqual(told(await registers(b, { expires: 900 })), ["7001 900", "7003 900"]);
  assert.deepEqual(told(await registers(b, { expires: 0 })), ["7002 0", "7003 0"]);
});

test("TS 24.229 §5.4.1.7: service information, the UE's REGISTER and its 200 are the body, in one part or several", async () => {
  const b = bench({
    alice: [
      ifc(7001, { when: [method("REGISTER")], serviceInfo: "a<b>&c é" }),
      ifc(7002, { when: [method("REGISTER")], includeRegisterRequest: true }),
      ifc(7003, {
        when: [method("REGISTER")],
        serviceInfo: "x",
        includeRegisterRequest: true,
        includeRegisterResponse: true,
      }),
    ],
  });
  const [info, request, all] = await registers(b, { expires: 600 });
  assert.equal(info?.header("Content-Type"), "application/3gpp-ims+xml");
  assert.match(
    Buffer.from(info?.body ?? "", "latin1").toString(),
    /<ims-3gpp version="1"><service-info>a&lt;b&gt;&amp;c é<\/service-info><\/ims-3gpp>$/,
  );
  assert.equal(request?.header("Content-Type"), "message/sip");
  assert.match(request?.body ?? "", /^REGISTER sip:127\.0\.0\.1:5054;transport=tcp SIP\/2\.0\r\n/);
  // Who the user is, but not the proof of it.
  assert.match(request?.body ?? "", /Authorization: Digest username="alice@example\.com".*response=""/);
  const boundary = /boundary="([^"]+)"/.exec(all?.header("Content-Type") ?? "")?.[1] ?? assert.fail();
  const parts = (all?.body ?? "").split(`--${boundary}`);
  assert.deepEqual(
    parts.map(
      (part) =>
        /Content-Type: (\S+)\r\n\r\n(<\?xml|REGISTER|SIP\/2\.0 200)?/.exec(part)?.slice(1).join(" ") ??
        part.trim(),
    ),
    ["", "application/3gpp-ims+xml <?xml", "message/sip REGISTER", "message/sip SIP/2.0 200", "--"],
  );
  assert.equal(Number(all?.header("Content-Length")), all?.body.length);
});

test("TS 24.229 §5.4.1.5, §5.4.1.7: a registration that lapses is told like one that the user ended", async () => {
  const b = bench({
    alice: [ifc(7001, { when: [method("REGISTER", [2])], serviceInfo: "x", includeRegisterRequest: true })],
  });
  assert.deepEqual(await registers(b, { expires: 60 }), []);
  b.cx.taken();
  let left: SipMessage[] = [];
  for (let second = 0; second < 90 && left.length === 0; second++)
    left = (await b.advance(1_000)).filter((one) => one.method === "REGISTER");
  const sent = only(left);
  assert.equal(sent.header("Expires"), "0");
  assert.equal(sent.header("To"), "<sip:alice@example.com>");
  assert.equal(sent.header("Content-Type"), "application/3gpp-ims+xml");
  assert.deepEqual(b.cx.taken(), ["SAR TIMEOUT_DEREGISTRATION"]);
});

test("TS 24.229 §5.4.1.5: the user is deregistered when a server that has to be there (SESSION_TERMINATED) fails", async () => {
  const b = bench({
    alice: [
      ifc(7001, { when: [method("REGISTER")], defaultHandling: "terminate" }),
      ifc(7002, { when: [method("REGISTER", [2])] }),
    ],
  });
  const sent = only(await registers(b));
  b.cx.taken();
  const told = await b.send(b.answer(sent, 500), b.dialled(7001));
  assert.deepEqual(b.cx.taken(), ["SAR ADMINISTRATIVE_DEREGISTRATION"]);
  assert.deepEqual(
    told.map((one) => `${one.method} ${/:(7...)/.exec(one.requestUri)?.[1]} ${one.header("Expires")}`),
    ["REGISTER 7001 0", "REGISTER 7002 0"],
  );
  // A failure of that one leads to nothing more.
  assert.deepEqual(await b.send(b.answer(told[0] ?? assert.fail(), 500), b.dialled(7001)), []);
  const call = b.request("INVITE", {
    uri: "sip:alice@example.com",
    headers: ["Route: <sip:127.0.0.1:5054;transport=tcp;lr>"],
  });
  assert.deepEqual(
    (await b.send(call, b.toScscf)).map(({ status }) => status),
    [480],
  );
});

test("TS 24.229 §5.4.1.7: neither SESSION_CONTINUED nor a refusal ends the registration; nor does a server that is not there", async () => {
  for (const [handling, status] of [
    ["continue", 500],
    ["continue", undefined],
    ["terminate", 403],
  ] as const) {
    const b = bench({ alice: [ifc(7001, { when: [method("REGISTER")], defaultHandling: handling })] });
    if (status === undefined) b.transport.refuse({ protocol: "TCP", address: "127.0.0.1", port: 7001 });
    const sent = await registers(b);
    b.cx.taken();
    if (status !== undefined)
      assert.deepEqual(await b.send(b.answer(only(sent), status), b.dialled(7001)), []);
    await b.advance(60_000);
    assert.deepEqual(b.cx.taken(), []);
  }
});

test("TS 24.229 §5.4.1.7: a profile that changes between two REGISTERs: who is new is told, who is out is told the end, the others nothing", async () => {
  const kept = ifc(7001, { when: [method("REGISTER")] });
  const changed = ifc(7002, { when: [method("REGISTER")], serviceInfo: "old" });
  const b = bench({ alice: [kept, changed, ifc(7003, { when: [method("REGISTER")] })] });
  const begun = await registers(b, { expires: 600 });
  assert.equal(begun.length, 3);
  await b.advance(100_000);
  const alice = b.cx.subscribers[0] ?? assert.fail();
  const ifcs = [
    kept,
    ifc(7002, { when: [method("REGISTER")], serviceInfo: "new" }),
    ifc(7004, { when: [method("REGISTER", [0])] }),
    ifc(7005),
  ];
  const push = { impi: alice.impi, charging: undefined, profileXml: profileXml({ ...alice, ifcs }) };
  assert.equal(await b.entities.cxRequests.pushProfile(push), "success");
  const told = (await b.settled()).map(
    (one) => `${one.method} ${/:(7...)/.exec(one.requestUri)?.[1]} ${one.header("Expires")}`,
  );
  assert.deepEqual(told, ["REGISTER 7002 500", "REGISTER 7004 500", "REGISTER 7003 0"]);
  assert.equal(await b.entities.cxRequests.pushProfile(push), "success");
  assert.deepEqual(await b.settled(), []);
});

test("TS 29.228 §6.1.3: of a user who has got another S-CSCF no application server is told that he is gone", async () => {
  for (const [reason, count] of [
    ["NEW_SERVER_ASSIGNED", 0],
    ["PERMANENT_TERMINATION", 1],
  ] as const) {
    const b = bench({ alice: [ifc(7001, { when: [method("REGISTER", [2])] })] });
    await registers(b, { expires: 600 });
    const request = {
      reason,
      reasonInfo: undefined,
      impi: "alice@example.com",
      associatedImpis: [],
      impus: [],
    };
    assert.equal(await b.entities.cxRequests.registrationTermination(request), "success");
    assert.equal((await b.settled()).length, count);
  }
});

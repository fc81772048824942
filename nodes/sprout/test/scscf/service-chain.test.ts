import assert from "node:assert/strict";
import { test } from "node:test";
import { SCSCF } from "../support/bench.ts";
import {
  chainBench,
  fromAlice,
  ifc,
  method,
  only,
  returned,
  sessionCase,
  visited,
} from "../support/chain.ts";

test("TS 24.229 §5.4.3.2 steps 4 to 6: the originating chain in order of priority, then the terminating user", async () => {
  const b = await chainBench({
    alice: [
      ifc(7002, { when: [method("INVITE"), sessionCase(0)] }),
      ifc(7003, { when: [sessionCase(1)] }),
      ifc(7001, { when: [method("INVITE")] }),
    ],
  });
  const first = only(await fromAlice(b));
  assert.equal(visited(first), "7001");
  const [server, back] = first.values("Route");
  assert.equal(server, "<sip:127.0.0.1:7001;transport=tcp;lr>");
  assert.match(back ?? "", /^<sip:odi_[A-Za-z0-9_-]+@127\.0\.0\.1:5054;transport=tcp;lr;orig>$/);
  assert.equal(first.header("P-Served-User"), "<sip:alice@example.com>;sescase=orig;regstate=reg");
  assert.equal(first.header("P-Charging-Function-Addresses"), 'ccf="aaa://ccf.example.com"');
  assert.equal(first.header("P-Charging-Vector"), 'icid-value=abc;orig-ioi="example.com"');
  assert.equal(first.requestUri, "sip:bob@example.com");

  const second = only(await b.send(returned(first), b.toScscf));
  assert.equal(visited(second), "7002");
  // Nobody between our two visits has recorded itself: one Record-Route of ours is enough.
  assert.deepEqual(second.values("Record-Route"), [`<${SCSCF};lr>`]);

  const delivered = only(
    await b.send(
      returned(second, (request) => request.prepend("Record-Route", "<sip:as@192.0.2.9;lr>")),
      b.toScscf,
    ),
  );
  assert.equal(delivered.requestUri, "sip:bob@192.0.2.2:5060");
  assert.equal(delivered.has("P-Served-User"), false);
  assert.deepEqual(delivered.values("Record-Route"), [
    `<${SCSCF};lr>`,
    "<sip:as@192.0.2.9;lr>",
    `<${SCSCF};lr>`,
  ]);
  assert.equal(delivered.header("P-Called-Party-ID"), "<sip:bob@example.com>");
});

test("TS 24.229 §5.4.3.3 steps 3 and 4: the terminating chain of a registered user ends at his contacts", async () => {
  const b = await chainBench({
    bob: [ifc(7001, { when: [sessionCase(1)] }), ifc(7002, { when: [sessionCase(2)] })],
  });
  const asked = only(await fromAlice(b));
  assert.equal(visited(asked), "7001");
  assert.equal(asked.header("P-Served-User"), "<sip:bob@example.com>;sescase=term;regstate=reg");
  const delivered = only(await b.send(returned(asked), b.toScscf));
  assert.equal(delivered.requestUri, "sip:bob@192.0.2.2:5060");
  assert.equal(delivered.has("P-Charging-Function-Addresses"), false);
});

test("TS 24.229 §5.4.3.3: a user who is not registered has the services of the unregistered part, then 480", async () => {
  const b = await chainBench({
    bob: [
      ifc(7001, { profilePart: "registered" }),
      ifc(7002, { when: [sessionCase(2)], profilePart: "unregistered" }),
    ],
  });
  await b.send(b.register({ impu: "sip:bob@example.com", contact: "*", expires: 0 }));
  const challenged = await b.exchange(b.register({ impu: "sip:bob@example.com", contact: "*", expires: 0 }));
  await b.send(
    b.register({
      impu: "sip:bob@example.com",
      contact: "*",
      expires: 0,
      authorization: b.answerTo(challenged, { username: "bob@example.com" }),
    }),
  );
  b.cx.taken();
  const asked = only(await fromAlice(b));
  assert.equal(visited(asked), "7002");
  assert.equal(asked.header("P-Served-User"), "<sip:bob@example.com>;sescase=term;regstate=unreg");
  assert.deepEqual(b.cx.taken(), ["LIR", "SAR UNREGISTERED_USER"]);
  const left = await b.send(returned(asked), b.toScscf);
  assert.deepEqual(
    left.map(({ status }) => status),
    [480],
  );
});

test("TS 24.229 §5.4.3.3 step 3: a Request-URI that an application server changed makes it a diverted call (RFC 8498)", async () => {
  const b = await chainBench({
    bob: [
      ifc(7001, { when: [sessionCase(1)] }),
      ifc(7002, { when: [sessionCase(4)] }),
      ifc(7003, { when: [sessionCase(1)] }),
    ],
  });
  const asked = only(await fromAlice(b));
  const diverted = only(
    await b.send(
      returned(asked, (request) => {
        request.requestUri = "sip:alice@example.com";
      }),
      b.toScscf,
    ),
  );
  assert.equal(visited(diverted), "7002");
  assert.equal(diverted.header("P-Served-User"), "<sip:bob@example.com>;orig-cdiv");
  assert.deepEqual(diverted.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550001>"]);
  const delivered = only(await b.send(returned(diverted), b.toScscf));
  assert.equal(delivered.requestUri, "sip:alice@192.0.2.1:5060");
});

test("TS 24.229 §3.1: another name of the served user with the same services is no diversion", async () => {
  const b = await chainBench({
    alice: [
      ifc(7001, { when: [sessionCase(1)] }),
      ifc(7002, { when: [sessionCase(1)] }),
      ifc(7003, { when: [sessionCase(4)] }),
    ],
  });
  const asked = only(
    await b.send(
      b.request("INVITE", { uri: "sip:alice@example.com", headers: [`Route: <${SCSCF};lr>`] }),
      b.toScscf,
    ),
  );
  const next = only(
    await b.send(
      returned(asked, (request) => {
        request.requestUri = "tel:+1-555-0001";
      }),
      b.toScscf,
    ),
  );
  assert.equal(visited(next), "7002");
});

test("TS 24.229 §5.4.3.2 step 2: the chain goes on at another member of the pool, without anything of the one that began it", async () => {
  const first = await chainBench({
    alice: [ifc(7001), ifc(7002)],
    bob: [ifc(7003, { when: [sessionCase(1)] })],
  });
  const { clock, cx, store } = first;
  const asked = only(await fromAlice(first));
  const second = (await import("../support/chain.ts")).benchWithCriteria({ shared: { clock, cx, store } });
  cx.subscribers.splice(2);
  const next = only(await second.send(returned(asked), second.toScscf));
  assert.equal(visited(next), "7002");
  const third = only(await second.send(returned(next), second.toScscf));
  assert.equal(visited(third), "7003");
  assert.equal(only(await second.send(returned(third), second.toScscf)).requestUri, "sip:bob@192.0.2.2:5060");
});

test("TS 24.229 §5.4.3.2: an original dialog identifier that is not ours is refused", async () => {
  const b = await chainBench({ alice: [ifc(7001)] });
  const asked = only(await fromAlice(b));
  const route = asked.values("Route")[1] ?? "";
  const forgeries = [
    route.replace(/odi_(.)/, (_, c) => `odi_${c === "A" ? "B" : "A"}`),
    route.replace(/odi_.*@/, "odi_@"),
    route.replace(/odi_.*@/, `odi_${"A".repeat(3000)}@`),
    route.replace(/odi_.*@/, "odi___proto__@"),
  ];
  for (const forged of forgeries) {
    const left = await b.send(
      b.request("INVITE", { uri: "sip:bob@example.com", headers: [`Route: ${forged}`] }),
      b.toScscf,
    );
    assert.deepEqual(
      left.map(({ status }) => status),
      [403],
      forged.slice(0, 60),
    );
  }
});

test("TS 24.229 §5.4.3.2: a request of an application server for a user who is not registered (P-Served-User, orig)", async () => {
  const b = (await import("../support/chain.ts")).benchWithCriteria({
    alice: [
      ifc(7001, { when: [sessionCase(3)], profilePart: "unregistered" }),
      ifc(7002, { when: [sessionCase(0)] }),
    ],
  });
  await b.registered(
    { impu: "sip:bob@example.com", contact: "<sip:bob@192.0.2.2:5060>" },
    { username: "bob@example.com" },
  );
  b.cx.taken();
  const served = "P-Served-User: <sip:alice@example.com>;sescase=orig;regstate=unreg";
  const asked = only(await fromAlice(b, "INVITE", [served]));
  assert.equal(visited(asked), "7001");
  assert.equal(asked.header("P-Served-User"), "<sip:alice@example.com>;sescase=orig;regstate=unreg");
  assert.deepEqual(b.cx.taken(), ["SAR UNREGISTERED_USER"]);
  assert.equal(only(await b.send(returned(asked), b.toScscf)).requestUri, "sip:bob@192.0.2.2:5060");
  // Whom no node of the trust domain names has to register.
  const refused = await fromAlice(b);
  assert.deepEqual(
    refused.map(({ status }) => status),
    [403],
  );
});

test("RFC 8498: orig-cdiv in the Route or in P-Served-User is the session case after a diversion", async () => {
  const b = await chainBench({ bob: [ifc(7001, { when: [sessionCase(4)] })] });
  const routes: [string, string][] = [
    [`<${SCSCF};lr;orig-cdiv>`, "<sip:bob@example.com>"],
    [`<${SCSCF};lr;orig>`, "<sip:bob@example.com>;orig-cdiv"],
  ];
  for (const [route, served] of routes) {
    const headers = [
      `Route: ${route}`,
      `P-Served-User: ${served}`,
      "P-Asserted-Identity: <sip:carol@example.net>",
    ];
    const asked = only(
      await b.send(b.request("INVITE", { uri: "sip:alice@example.com", headers }), b.toScscf),
    );
    assert.equal(visited(asked), "7001");
    assert.equal(asked.header("P-Served-User"), "<sip:bob@example.com>;orig-cdiv");
  }
  const nameless = b.request("INVITE", {
    uri: "sip:alice@example.com",
    headers: [`Route: <${SCSCF};lr;orig-cdiv>`],
  });
  assert.deepEqual(
    (await b.send(nameless, b.toScscf)).map(({ status }) => status),
    [403],
  );
});

test("TS 29.228 §B.2.3: triggers see the session description, also in a multipart body, and header fields by any spelling", async () => {
  const b = await chainBench({
    alice: [
      ifc(7001, { when: [{ kind: "sessionDescription", line: "m", content: "^video" }] }),
      ifc(7002, { when: [{ kind: "sipHeader", header: "Acc.*", content: "mmtel" }] }),
    ],
  });
  const invite = (type: string, body: string): string =>
    b
      .request("INVITE", {
        uri: "sip:bob@example.com",
        headers: [
          `Route: <${SCSCF};lr;orig>`,
          "P-Asserted-Identity: <sip:alice@example.com>",
          `Content-Type: ${type}`,
          "a: *;g=mmtel",
        ],
      })
      .replace("Content-Length: 0\r\n\r\n", `Content-Length: ${body.length}\r\n\r\n${body}`);
  const sdp = "v=0\r\nm=audio 1 RTP/AVP 0\r\nm=video 2 RTP/AVP 34\r\n";
  const parts = `--x\r\nContent-Type: text/plain\r\n\r\nm=video\r\n--x\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--x--\r\n`;
  assert.equal(visited(only(await b.send(invite("application/sdp", sdp), b.toScscf))), "7001");
  assert.equal(visited(only(await b.send(invite("multipart/mixed;boundary=x", parts), b.toScscf))), "7001");
  assert.equal(visited(only(await b.send(invite("text/plain", sdp), b.toScscf))), "7002");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BORDER,
  CARRIER,
  CARRIER_2,
  CORE,
  fromInside,
  IbcfBench,
  PBX,
  routesOf,
  SPROUT,
} from "../support/ibcf-bench.ts";
import { only } from "../support/pcscf-bench.ts";

const INSIDE = /10\.0\.0\.|inside\.example|192\.0\.2\.1[:;>]/;
const VECTOR = "P-Charging-Vector: icid-value=abc;icid-generated-at=10.0.0.1;orig-ioi=example.com;x=y";

function toPeer(name: string): string {
  return `Route: <sip:ibcf.${name}@${CORE}:5058;transport=tcp;lr>`;
}

test("TS 24.229 §5.10.4.2: a request that leaves shows nothing of the network behind: one Via, one Record-Route, both sealed", () => {
  const b = new IbcfBench();
  const { message, text, flow } = only(
    b.request(b.sprout(), {
      uri: "sip:bob@carrier.example",
      vias: fromInside().vias,
      headers: [...fromInside().headers, toPeer("carrier"), VECTOR],
    }),
  );
  assert.deepEqual([flow.side, flow.protocol, flow.remoteAddress], ["peer", "UDP", CARRIER]);
  assert.doesNotMatch(text, INSIDE);
  const [ours, hidden, ...more] = message.values("Via");
  assert.match(ours ?? "", new RegExp(`^SIP/2.0/UDP ${BORDER}:5070;branch=z9hG4bK`));
  assert.match(
    hidden ?? "",
    /^SIP\/2\.0\/TCP example\.com;branch=z9hG4bK[A-Za-z0-9_-]+;tokenized-by=example\.com$/,
  );
  assert.deepEqual(more, []);
  const [route, ...others] = message.values("Record-Route");
  assert.match(
    route ?? "",
    new RegExp(`^<sip:ibcf\\.[A-Za-z0-9_-]+@${BORDER}:5070;lr>;tokenized-by=example\\.com$`),
  );
  assert.deepEqual(others, []);
  assert.equal(message.has("Route"), false);
});

test("TS 24.229 §5.10.4.3: the answer has the Via and Record-Route of the request again, and ours that names the peer", () => {
  const b = new IbcfBench();
  const invite = only(
    b.request(b.sprout(), {
      uri: "sip:bob@carrier.example",
      vias: fromInside().vias,
      headers: [...fromInside().headers, toPeer("carrier")],
    }),
  );
  for (const status of [183, 200]) {
    const routes = [`<sip:sbc.carrier.example;lr>`, ...invite.message.values("Record-Route")];
    const { message } = only(b.answer(invite, status, [`Record-Route: ${routes.join(", ")}`]));
    assert.deepEqual(message.values("Via"), [
      `SIP/2.0/TCP ${SPROUT}:5054;branch=z9hG4bKscscf1`,
      "SIP/2.0/TCP pcscf.inside.example:5058;branch=z9hG4bKpcscf1",
      "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKue1;rport=5060;received=198.51.100.7",
    ]);
    assert.deepEqual(message.values("Record-Route"), [
      "<sip:sbc.carrier.example;lr>",
      `<sip:ibcf.carrier@${CORE}:5058;transport=tcp;lr>`,
      `<sip:odi.1@${SPROUT}:5054;transport=tcp;lr>`,
      "<sip:pcscf.inside.example:5058;transport=tcp;lr>",
      "<sip:tok@192.0.2.1:5060;lr>",
    ]);
  }
});

test("a peer cannot change the way of its answers, nor the ways behind us", () => {
  const b = new IbcfBench();
  for (const [index, lie] of [
    "Record-Route: <sip:evil.example;lr>",
    `Record-Route: <sip:ibcf.AAAA@${BORDER}:5070;lr>, <sip:${SPROUT}:5054;lr>`,
  ].entries()) {
    const callId = `lie${index}`;
    const { vias, headers: routes } = fromInside(index);
    const headers = [...routes, toPeer("pbx")];
    const invite = only(b.request(b.sprout(), { uri: "sip:bob@pbx.example", callId, vias, headers }));
    const { message } = only(b.answer(invite, 200, [lie]));
    assert.equal(message.values("Via").length, 3);
    assert.deepEqual(message.values("Record-Route").slice(-4), [
      `<sip:ibcf.pbx@${CORE}:5058;transport=tcp;lr>`,
      `<sip:odi.1@${SPROUT}:5054;transport=tcp;lr>`,
      "<sip:pcscf.inside.example:5058;transport=tcp;lr>",
      "<sip:tok@192.0.2.1:5060;lr>",
    ]);
  }
});

test("TS 24.229 §5.10.2.3, §5.10.3.3: ACK and BYE go both ways on the routes of the dialog, also through another member of the pool", () => {
  const b = new IbcfBench();
  const invite = only(
    b.request(b.sprout(), {
      uri: "sip:bob@carrier.example",
      vias: fromInside().vias,
      headers: [...fromInside().headers, toPeer("carrier")],
    }),
  );
  only(b.answer(invite, 200, ["Contact: <sip:bob@203.0.113.99:5080>"]));
  const ack = only(
    b.request(b.sprout(), {
      method: "ACK",
      uri: "sip:bob@203.0.113.99:5080",
      to: "<sip:bob@carrier.example>;tag=t1",
      vias: fromInside().vias,
      headers: [toPeer("carrier"), "Route: <sip:sbc.carrier.example;lr>"],
    }),
  );
  assert.deepEqual([ack.flow.side, ack.flow.remoteAddress], ["peer", "sbc.carrier.example"]);
  assert.deepEqual(routesOf(ack.message), ["sbc.carrier.example"]);
  assert.doesNotMatch(ack.text, INSIDE);

  // The called party ends it, at a member that has seen nothing of the call.
  const [route = ""] = invite.message.values("Record-Route");
  const other = new IbcfBench();
  const bye = only(
    other.request(other.peer(CARRIER_2), {
      method: "BYE",
      uri: "sip:alice@198.51.100.7:5060",
      from: "<sip:bob@carrier.example>",
      to: "<sip:alice@example.com>;tag=f1",
      headers: [`Route: ${route}`],
    }),
  );
  assert.deepEqual([bye.flow.side, bye.flow.remoteAddress], ["core", SPROUT]);
  assert.deepEqual(routesOf(bye.message), [SPROUT, "pcscf.inside.example", "192.0.2.1"]);
  const answered = only(other.answer(bye, 200, ["P-Charging-Vector: icid-value=1;orig-ioi=example.com"]));
  assert.equal(answered.flow.remoteAddress, CARRIER_2);
});

test("a call that was answered twice behind the peer: the second 2xx finds its way back, too", () => {
  const b = new IbcfBench();
  const invite = only(
    b.request(b.sprout(), {
      uri: "sip:bob@carrier.example",
      vias: fromInside().vias,
      headers: [...fromInside().headers, toPeer("carrier")],
    }),
  );
  const first = only(b.answer(invite, 200));
  const second = only(
    b.answer(
      { ...invite, message: invite.message.clone().set("To", "<sip:bob@carrier.example>;tag=t2") },
      200,
    ),
  );
  assert.equal(second.message.toTag, "t2");
  assert.deepEqual(second.message.values("Via"), first.message.values("Via"));
  assert.deepEqual(second.message.values("Record-Route"), first.message.values("Record-Route"));
});

const ASSERTED = [
  'P-Asserted-Identity: "Alice" <sip:alice@example.com>',
  "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1",
  "P-Charging-Function-Addresses: ccf=ccf.example.com",
  "P-Served-User: <sip:alice@example.com>",
  "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel",
  VECTOR,
];

test("TS 24.229 §4.4, RFC 3325 §7: what a peer learns depends on whether it is inside the trust domain, and on privacy", () => {
  for (const [peer, privacy, expected] of [
    [
      "carrier",
      "id",
      ["P-Asserted-Identity", "P-Access-Network-Info", "P-Asserted-Service", "P-Charging-Vector"],
    ],
    ["pbx", "none", ["P-Asserted-Identity"]],
    ["pbx", "user;id", []],
  ] as const) {
    const b = new IbcfBench();
    const headers = [...ASSERTED, `Privacy: ${privacy}`, toPeer(peer)];
    const { message } = only(b.request(b.sprout(), { uri: "sip:bob@pbx.example", headers }));
    const seen = [...message.entries()].map(([name]) => name).filter((name) => name.startsWith("P-"));
    assert.deepEqual(seen, expected, `${peer} ${privacy}`);
    assert.equal(message.header("Privacy"), privacy);
  }
});

test("TS 24.229 §5.10.2.2, §7.2A.5: ICID and orig-ioi leave, term-ioi comes back; a peer outside the trust domain has the one of its agreement", () => {
  for (const [peer, said, expected] of [
    ["carrier", "icid-value=other;orig-ioi=liar;term-ioi=carrier.example", "carrier.example"],
    ["carrier", undefined, undefined],
    ["pbx", "icid-value=other;orig-ioi=liar;term-ioi=liar", "pbx.example"],
  ] as const) {
    const b = new IbcfBench();
    const invite = only(b.request(b.sprout(), { uri: "sip:bob@x.example", headers: [VECTOR, toPeer(peer)] }));
    assert.equal(
      invite.message.header("P-Charging-Vector"),
      peer === "pbx" ? undefined : "icid-value=abc;orig-ioi=example.com",
    );
    const lines = said === undefined ? [] : [`P-Charging-Vector: ${said}`];
    const { message } = only(b.answer(invite, 200, lines));
    assert.equal(
      message.header("P-Charging-Vector"),
      `icid-value=abc;icid-generated-at=10.0.0.1;orig-ioi=example.com${expected === undefined ? "" : `;term-ioi=${expected}`};x=y`,
    );
  }
});

test("TS 24.229 §4.4: a peer outside the trust domain asserts nothing in its answers", () => {
  for (const [peer, kept] of [
    ["carrier", true],
    ["pbx", false],
  ] as const) {
    const b = new IbcfBench();
    const invite = only(b.request(b.sprout(), { uri: "sip:bob@x.example", headers: [toPeer(peer)] }));
    const { message } = only(
      b.answer(invite, 200, [
        "p-asserted-identity: <sip:president@example.com>",
        "Service-Route: <sip:evil.example;lr>",
      ]),
    );
    assert.equal(message.has("P-Asserted-Identity"), kept);
    assert.equal(message.has("Service-Route"), false);
  }
});

test("the peer is the one that the Route names, else the next Route, else the Request-URI; none is 404", () => {
  const ours = `Route: <sip:ibcf@${CORE}:5058;transport=tcp;lr>`;
  for (const [uri, headers, address] of [
    ["sip:bob@x.example", [toPeer("pbx")], PBX],
    ["sip:bob@x.example", [ours, "Route: <sip:sbc.pbx.example;lr>"], "404"],
    ["sip:bob@x.example", [ours, "Route: <sip:pbx.example;lr>"], "pbx.example"],
    ["sip:bob@x.example", [toPeer("pbx"), "Route: <sip:198.51.100.99;lr>"], "198.51.100.99"],
    ["sip:bob@carrier.example", [ours], CARRIER],
    ["sip:bob@x.example", [ours], "404"],
    ["sip:bob@x.example", [toPeer("nobody")], "404"],
    ["tel:+4930123", [ours], "404"],
    ["sip:bob@x.example", [toPeer("open")], "x.example"],
    ["tel:+4930123", [toPeer("open")], "404"],
    // It would come back to us.
    [`sip:bob@${BORDER}:5070`, [toPeer("open")], "482"],
    [
      "sip:bob@x.example",
      [toPeer("pbx"), `Route: <sip:${CORE}:5058;lr>`, "Route: <sip:a.example;lr>"],
      "482",
    ],
  ] as const) {
    const b = new IbcfBench();
    const { message, flow } = only(b.request(b.sprout(), { uri, headers }));
    const got = message.isRequest ? flow.remoteAddress : String(message.status);
    assert.equal(got, address, `${uri} ${headers.join()}`);
  }
});

test("only who may use the trusted side sends requests out", () => {
  const b = new IbcfBench();
  const stranger = b.transport.connect({ side: "core", protocol: "TCP", remoteAddress: "198.51.100.1" });
  const { message } = only(b.request(stranger, { headers: [toPeer("carrier")] }));
  assert.equal(message.status, 403);
  assert.deepEqual(b.refusals, ["foreignPeer"]);
});

test("RFC 3261 §19.1.6, RFC 3966: numbers leave as the agreement says", () => {
  const trunk = (more: object): unknown => ({
    peers: [{ name: "t", targets: ["sip:203.0.113.30:5060"], options_seconds: 0, ...more }],
  });
  for (const [more, uri, expected] of [
    [{}, "tel:+49-30-123;npdi;rn=+4940", "sip:+4930123;npdi;rn=+4940@203.0.113.30;user=phone"],
    [{ domains: ["t.example"] }, "sip:+4930123@example.com;user=phone", "sip:+4930123@t.example;user=phone"],
    [
      { number_host: "gw.example" },
      "tel:110;phone-context=+49",
      "sip:110;phone-context=+49@gw.example;user=phone",
    ],
    [{ number_form: "as-is" }, "tel:+4930123", "tel:+4930123"],
    [
      {
        outgoing_numbers: [
          { prefix: "+49", replacement: "0" },
          { prefix: "+", replacement: "00" },
        ],
      },
      "tel:+4930123",
      "sip:030123@203.0.113.30;user=phone",
    ],
    [
      {
        outgoing_numbers: [
          { prefix: "+49", replacement: "0" },
          { prefix: "+", replacement: "00" },
        ],
      },
      "tel:+44123",
      "sip:0044123@203.0.113.30;user=phone",
    ],
    [
      { outgoing_numbers: [{ prefix: "+", replacement: "00" }], number_form: "as-is" },
      "sip:+44123@example.com;user=phone",
      "sip:0044123@example.com;user=phone",
    ],
    [{}, "sip:+44123@other.example;user=phone", "sip:+44123@other.example;user=phone"],
    [{}, "sip:bob@example.com;user=phone", "sip:bob@example.com;user=phone"],
    [{}, "sip:*21%23@example.com;user=dialstring", "sip:*21%23@203.0.113.30;user=dialstring"],
  ] as const) {
    const b = new IbcfBench({ peers: trunk(more) });
    const { message } = only(b.request(b.sprout(), { uri, headers: [toPeer("t")] }));
    assert.equal(message.requestUri, expected, `${JSON.stringify(more)} ${uri}`);
  }
});

test("TS 24.229 §5.10.6: bodies and media that were not agreed do not leave; header fields that shall not are taken off", () => {
  const peers = {
    peers: [
      {
        name: "t",
        targets: ["sip:203.0.113.30"],
        options_seconds: 0,
        body_types: ["application/sdp"],
        media_types: ["audio"],
        remove_headers: ["X-Inside", "User-Agent"],
      },
    ],
  };
  for (const [type, body, expected] of [
    ["application/sdp", "v=0\r\nm=audio 4000 RTP/AVP 0\r\n", "INVITE"],
    ["application/sdp", "v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 99\r\n", "INVITE"],
    ["application/sdp", "v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 99\r\n", "488"],
    ["text/plain", "hello", "415"],
  ] as const) {
    const b = new IbcfBench({ peers });
    const headers = [toPeer("t"), `Content-Type: ${type}`, "x-inside: secret", "User-Agent: secret"];
    const { message, text } = only(b.request(b.sprout(), { uri: "sip:bob@t", headers, body }));
    assert.equal(message.isRequest ? message.method : String(message.status), expected);
    assert.doesNotMatch(text, /secret/);
  }
});

test("TS 32.260 §5.2.2.1: the IBCF charges a call that leaves, its end, and one that fails, with both networks", () => {
  const b = new IbcfBench({ charges: true });
  const { vias, headers } = fromInside();
  const uri = "sip:bob@carrier.example";
  const invite = only(b.request(b.sprout(), { uri, vias, headers: [...headers, VECTOR, toPeer("carrier")] }));
  only(b.answer(invite, 200, ["P-Charging-Vector: icid-value=abc;term-ioi=carrier.example"]));
  only(
    b.request(b.sprout(), {
      ...{ method: "BYE", uri: "sip:bob@203.0.113.99", to: "<sip:bob@carrier.example>;tag=t1", cseq: 2 },
      headers: [toPeer("carrier")],
    }),
  );
  const other = { uri, callId: "call2", ...fromInside(2) };
  const failed = only(b.request(b.sprout(), { ...other, headers: [VECTOR, toPeer("carrier")] }));
  b.answer(failed, 486);
  assert.deepEqual(
    b.charged.map(({ kind, node, role, status, icid, origIoi, termIoi }) => [
      ...[kind, node, role, status, icid, origIoi, termIoi],
    ]),
    [
      ["start", "IBCF", "originating", 200, "abc", "example.com", "carrier.example"],
      ["stop", "IBCF", undefined, undefined, undefined, undefined, undefined],
      ["event", "IBCF", "originating", 486, "abc", "example.com", undefined],
    ],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_TIMERS } from "@ims/sip";
import { BORDER, CARRIER, CORE, IbcfBench, PBX, routesOf, SPROUT } from "../support/ibcf-bench.ts";
import { only } from "../support/pcscf-bench.ts";

const FROM_CARRIER = "<sip:bob@carrier.example>";

test("TS 24.229 §5.10.3.2: a call of a peer goes to the I-CSCF, with a Record-Route of ours that names the peer", () => {
  const b = new IbcfBench();
  const { message, flow } = only(
    b.request(b.peer(), {
      uri: "sip:alice@example.com",
      headers: [`Route: <sip:ibcf@${BORDER}:5070;lr>`, "Record-Route: <sip:sbc.carrier.example;lr>"],
    }),
  );
  assert.deepEqual(
    [flow.side, flow.protocol, flow.remoteAddress, flow.remotePort],
    ["core", "TCP", SPROUT, 5052],
  );
  assert.deepEqual(message.values("Route"), [`<sip:${SPROUT}:5052;transport=tcp;lr>`]);
  assert.deepEqual(message.values("Record-Route"), [
    `<sip:ibcf.carrier@${CORE}:5058;transport=tcp;lr>`,
    "<sip:sbc.carrier.example;lr>",
  ]);
});

test("TS 24.229 §5.10.4.2: the answer shows the peer one Record-Route of ours, in which the way behind us is sealed in the order of a Route", () => {
  const b = new IbcfBench();
  const invite = only(
    b.request(b.peer(), {
      uri: "sip:alice@example.com",
      from: FROM_CARRIER,
      headers: ["Record-Route: <sip:sbc.carrier.example;lr>"],
    }),
  );
  const inside = ["<sip:tok@192.0.2.1:5060;lr>", `<sip:odi@${SPROUT}:5054;transport=tcp;lr>`];
  const { message, text } = only(
    b.answer(invite, 200, [
      `Record-Route: ${[...inside, ...invite.message.values("Record-Route")].join(", ")}`,
      "P-Charging-Function-Addresses: ccf=ccf.inside.example",
    ]),
  );
  assert.doesNotMatch(text, /10\.0\.0\.|inside\.example|192\.0\.2\.1[:;>]/);
  const [ours = "", theirs, ...more] = message.values("Record-Route");
  assert.match(
    ours,
    new RegExp(`^<sip:ibcf\\.[A-Za-z0-9_-]+@${BORDER}:5070;lr>;tokenized-by=example\\.com$`),
  );
  assert.deepEqual([theirs, more], ["<sip:sbc.carrier.example;lr>", []]);

  // ACK and BYE of the peer: from the S-CSCF to the P-CSCF, whatever it makes of the header parameter.
  for (const [method, value] of [
    ["ACK", ours],
    ["BYE", ours.replace(/;tokenized-by.*/, "")],
  ] as const) {
    const sent = only(
      b.request(b.peer(), {
        method,
        uri: "sip:alice@198.51.100.7:5060",
        from: FROM_CARRIER,
        to: "<sip:alice@example.com>;tag=t1",
        cseq: method === "ACK" ? 1 : 2,
        headers: [`Route: ${value}`],
      }),
    );
    assert.deepEqual(routesOf(sent.message), [SPROUT, "192.0.2.1"]);
    assert.equal(sent.flow.remoteAddress, SPROUT);
  }

  // BYE of the called user.
  const bye = only(
    b.request(b.sprout(), {
      method: "BYE",
      uri: "sip:bob@203.0.113.99",
      from: "<sip:alice@example.com>",
      to: `${FROM_CARRIER};tag=f1`,
      headers: [
        `Route: <sip:ibcf.carrier@${CORE}:5058;transport=tcp;lr>`,
        "Route: <sip:sbc.carrier.example;lr>",
      ],
    }),
  );
  assert.equal(bye.flow.remoteAddress, "sbc.carrier.example");
});

test("a call that enters and leaves by the same IBCF: each side has its own way, and the caller's BYE goes all of it", () => {
  const b = new IbcfBench();
  const invite = only(b.request(b.peer(PBX), { uri: "sip:alice@example.com" }));
  const [entered = ""] = invite.message.values("Record-Route");
  const inside = [
    "<sip:sbc.carrier.example;lr>",
    `<sip:ibcf.carrier@${CORE}:5058;transport=tcp;lr>`,
    `<sip:${SPROUT}:5054;transport=tcp;lr>`,
  ];
  const { message } = only(b.answer(invite, 200, [`Record-Route: ${[...inside, entered].join(", ")}`]));
  const [ours = "", ...more] = message.values("Record-Route");
  assert.deepEqual(more, []);
  const headers = [`Route: ${ours}`];
  const to = "<sip:alice@example.com>;tag=t1";
  const bye = only(b.request(b.peer(PBX), { method: "BYE", uri: "sip:x@carrier.example", to, headers }));
  assert.deepEqual(bye.message.values("Route"), inside.toReversed());
  assert.equal(bye.flow.remoteAddress, SPROUT);
});

test("who is no peer gets 403 and nothing is kept of it; no REGISTER comes through a peer", () => {
  const b = new IbcfBench({ timers: { ...DEFAULT_TIMERS, t1: 100 } });
  const stranger = b.peer("198.51.100.66");
  for (const method of ["INVITE", "OPTIONS", "REGISTER", "BYE"]) {
    const { message } = only(b.request(stranger, { method, uri: "sip:alice@example.com" }));
    assert.equal(message.status, 403, method);
  }
  assert.equal(b.core.transactions.serverTransactions, 0);
  assert.deepEqual(b.request(stranger, { method: "ACK", to: "<sip:alice@example.com>;tag=x" }), []);
  const { message } = only(b.request(b.peer(), { method: "REGISTER", uri: "sip:example.com" }));
  assert.equal(message.status, 403);
  assert.deepEqual(b.refusals.slice(-2), ["foreignPeer", "register"]);
});

test("a peer chooses no way through our network: a Route of anybody else, and forged ones, are refused", () => {
  for (const route of [
    `<sip:${SPROUT}:5054;lr;orig>`,
    `<sip:ibcf@${BORDER}:5070;lr>, <sip:${SPROUT}:5054;transport=tcp;lr;orig>`,
    `<sip:ibcf.AAAAAAAAAAAAAAAAAAAAAAAA@${BORDER}:5070;lr>, <sip:x.example;lr>`,
    `<sip:ibcf@${BORDER}:5070;lr>, <sip:ibcf@${BORDER}:5070;lr>, <sip:alice@198.51.100.7;lr>`,
  ]) {
    const b = new IbcfBench();
    const { message } = only(
      b.request(b.peer(), { uri: "sip:alice@example.com", headers: [`Route: ${route}`] }),
    );
    assert.equal(message.status, 403, route);
    assert.deepEqual(b.refusals, ["foreignRoute"]);
  }
  // The trusted side is no address for a peer, whatever it writes.
  const b = new IbcfBench();
  const { message, flow } = only(
    b.request(b.peer(), { uri: "sip:alice@example.com", headers: [`Route: <sip:ibcf.pbx@${CORE}:5058;lr>`] }),
  );
  assert.deepEqual([message.top("Route"), flow.side], [`<sip:${SPROUT}:5052;transport=tcp;lr>`, "core"]);
});

test("a request inside a dialog needs the token of that dialog: without one, with a forged one or with that of another call it is 403", () => {
  const b = new IbcfBench();
  const token = b.modules.hiding.seal("route", "call1", `<sip:${SPROUT}:5054;transport=tcp;lr>`);
  const vias = b.modules.hiding.seal("via", "call1", `<sip:${SPROUT}:5054;transport=tcp;lr>`);
  const bye = (route: string | undefined, callId = "call1"): number => {
    const { message } = only(
      b.request(b.peer(), {
        method: "BYE",
        uri: `sip:${SPROUT}:5054;transport=tcp`,
        to: "<sip:alice@example.com>;tag=t1",
        callId,
        headers: route === undefined ? [] : [`Route: ${route}`],
      }),
    );
    return message.isRequest ? 0 : message.status;
  };
  const ours = (user: string): string => `<sip:${user}@${BORDER}:5070;lr>`;
  assert.equal(bye(ours(`ibcf.${token}`)), 0);
  for (const route of [
    undefined,
    ours("ibcf"),
    ours("ibcf."),
    ours(`ibcf.${vias}`),
    ours(`ibcf.${token}A`),
    ours(`ibcf.${token.slice(0, -1)}`),
    ours("ibcf.__proto__"),
    ours(`ibcf.${"A".repeat(9_000)}`),
    `<sip:${SPROUT}:5054;lr>`,
    `${ours(`ibcf.${token}`)}, <sip:evil.example;lr>`,
  ])
    assert.equal(bye(route), 403, route?.slice(0, 80));
  assert.equal(bye(ours(`ibcf.${token}`), "call2"), 403);
  assert.ok(b.refusals.includes("forgedToken") && b.refusals.includes("foreignRoute"));
  // Nothing goes on for an ACK either.
  const headers = [`Route: ${ours(`ibcf.${token}A`)}`];
  assert.deepEqual(b.request(b.peer(), { method: "ACK", to: "<sip:a@example.com>;tag=t1", headers }), []);
});

test("where nobody of our network stays in a dialog its requests go to hosts of the core only", () => {
  const b = new IbcfBench();
  const token = b.modules.hiding.seal("route", "call1", "");
  for (const [uri, status] of [
    [`sip:as@${SPROUT}:5090;transport=tcp`, 0],
    ["sip:as@203.0.113.200", 403],
  ] as const) {
    const headers = [`Route: <sip:ibcf.${token}@${BORDER}:5070;lr>`];
    const { message } = only(
      b.request(b.peer(), { method: "BYE", uri, to: "<sip:a@example.com>;tag=t1", headers }),
    );
    assert.equal(message.status, status, uri);
  }
});

const CLAIMED = [
  "p-asserted-identity: <sip:president@example.com>",
  "P-Preferred-Identity: <sip:president@example.com>",
  "Remote-Party-ID: <sip:president@example.com>",
  "P-Charging-Function-Addresses: ccf=evil.example",
  "P-Served-User: <sip:alice@example.com>;sescase=orig",
  "P-Profile-Key: <sip:alice@example.com>",
  "P-User-Database: <aaa://evil.example>",
  "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel",
  "P-Visited-Network-ID: other",
  "P-Access-Network-Info: 3GPP-GERAN;network-provided",
  "Resource-Priority: ets.0",
  "Service-Route: <sip:evil.example;lr>",
  "Path: <sip:evil.example;lr>",
];

test("TS 24.229 §4.4, §5.10.3.2: a peer outside the trust domain asserts nothing; one inside it what is for other networks", () => {
  for (const [address, expected] of [
    [
      CARRIER,
      [
        "p-asserted-identity",
        "Remote-Party-ID",
        "P-Asserted-Service",
        "P-Visited-Network-ID",
        "P-Access-Network-Info",
        "Resource-Priority",
      ],
    ],
    [PBX, []],
  ] as const) {
    const b = new IbcfBench();
    const { message } = only(b.request(b.peer(address), { uri: "sip:alice@example.com", headers: CLAIMED }));
    const written = new Set(CLAIMED.map((line) => line.slice(0, line.indexOf(":"))));
    const seen = [...message.entries()].map(([name]) => name).filter((name) => written.has(name));
    assert.deepEqual(seen, expected, address);
  }
});

test("TS 24.229 §5.10.3.2: of a PBX that is no member of the trust domain its own numbers are asserted, else the usual one", () => {
  const peers = {
    peers: [
      {
        name: "pbx",
        addresses: [PBX],
        options_seconds: 0,
        identity: { numbers: ["+493012"], default: "tel:+4930120" },
      },
    ],
  };
  for (const [from, headers, expected] of [
    ["<sip:+49-30-12-34@pbx.example;user=phone>", [], "<tel:+49301234>"],
    ["<sip:anonymous@anonymous.invalid>", ["P-Preferred-Identity: <tel:+49301299>"], "<tel:+49301299>"],
    ["<tel:+44123>", [], "<tel:+4930120>"],
    ["<sip:x@pbx.example>", ["P-Asserted-Identity: <sip:+49301256@x>, <tel:+44>"], "<tel:+49301256>"],
  ] as const) {
    const b = new IbcfBench({ peers });
    const { message } = only(b.request(b.peer(PBX), { uri: "sip:alice@example.com", from, headers }));
    assert.deepEqual(message.values("P-Asserted-Identity"), [expected], from);
  }
});

test("TS 24.229 §5.10.3.2, §7.2A.5: the ICID and orig-ioi of a trusted peer go on, others get an ICID here; the answer brings term-ioi to the trusted only", () => {
  const said = "P-Charging-Vector: icid-value=theirs;orig-ioi=carrier.example;term-ioi=liar";
  for (const [address, headers, expected, answered] of [
    [
      CARRIER,
      [said],
      "icid-value=theirs;orig-ioi=carrier.example",
      "icid-value=theirs;orig-ioi=carrier.example;term-ioi=example.com",
    ],
    [PBX, [said], `icid-value=icid1;icid-generated-at=${CORE};orig-ioi=pbx.example`, undefined],
    [CARRIER, [], `icid-value=icid1;icid-generated-at=${CORE}`, "icid-value=icid1;term-ioi=example.com"],
    [
      CARRIER,
      ['P-Charging-Vector: rubbish;;="'],
      `icid-value=icid1;icid-generated-at=${CORE}`,
      "icid-value=icid1;term-ioi=example.com",
    ],
  ] as const) {
    const b = new IbcfBench();
    const invite = only(b.request(b.peer(address), { uri: "sip:alice@example.com", headers }));
    const vector = invite.message.header("P-Charging-Vector");
    assert.equal(vector, expected);
    const { message } = only(b.answer(invite, 200, [`P-Charging-Vector: ${vector};term-ioi="example.com"`]));
    assert.equal(message.header("P-Charging-Vector"), answered);
  }
});

test("RFC 3261 §19.1.6, RFC 4967: what was called at the border is called at home, numbers as user=phone, dialled ones by the rules of the peer", () => {
  const incoming_numbers = [
    { prefix: "00", replacement: "+" },
    { prefix: "0", replacement: "+49" },
  ];
  const peers = { peers: [{ name: "t", addresses: [CARRIER], options_seconds: 0, incoming_numbers }] };
  for (const [uri, expected] of [
    [`sip:+4930123@${BORDER}:5070`, "sip:+4930123@example.com;user=phone"],
    [`sip:030-123@${BORDER}:5070;transport=udp`, "sip:+4930123@example.com;user=phone"],
    ["sip:0044123;phone-context=+49@example.com;user=phone", "sip:+44123@example.com;user=phone"],
    ["sip:030123@example.com;user=dialstring", "sip:+4930123@example.com;user=phone"],
    [
      "sip:+4930123;npdi;rn=+4940@example.com;user=phone",
      "sip:+4930123;npdi;rn=+4940@example.com;user=phone",
    ],
    ["sip:110@example.com;user=phone", "sip:110@example.com;user=phone"],
    ["sip:030123@example.com", "sip:030123@example.com"],
    ["tel:030123;phone-context=+49", "tel:+4930123"],
    ["tel:+4930123", "tel:+4930123"],
    [`sip:alice@${BORDER}:5070`, "sip:alice@example.com"],
    ["sip:alice@example.com", "sip:alice@example.com"],
    ["sip:+4930123@other.example;user=phone", "sip:+4930123@other.example;user=phone"],
  ] as const) {
    const b = new IbcfBench({ peers });
    const { message } = only(b.request(b.peer(), { uri }));
    assert.equal(message.requestUri, expected, uri);
  }
});

test("TS 24.229 §5.10.6: methods, bodies and media that were not agreed are refused", () => {
  const peers = {
    peers: [
      {
        name: "t",
        addresses: [CARRIER],
        options_seconds: 0,
        methods: ["INVITE", "ACK", "BYE", "CANCEL"],
        body_types: ["application/sdp"],
        media_types: ["audio"],
      },
    ],
  };
  const sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 99\r\n";
  for (const [method, type, body, status, header] of [
    ["MESSAGE", "text/plain", "hello", 405, ["Allow", "INVITE, ACK, BYE, CANCEL"]],
    ["INVITE", "text/plain", "hello", 415, ["Accept", "application/sdp"]],
    ["INVITE", "application/sdp", sdp, 488, undefined],
    ["INVITE", "application/sdp", sdp.replace("4002", "0"), 0, undefined],
  ] as const) {
    const b = new IbcfBench({ peers });
    const headers = [`Content-Type: ${type}`];
    const { message } = only(b.request(b.peer(), { method, uri: "sip:alice@example.com", headers, body }));
    assert.equal(message.status, status, `${method} ${type}`);
    if (header !== undefined)
      assert.deepEqual(new Set(message.lines(header[0])[0]?.split(", ")), new Set(header[1].split(", ")));
  }
});

test("RFC 3261 §11: OPTIONS of a peer to us is answered; while we end, nothing new is begun and dialogs go on", () => {
  const b = new IbcfBench();
  const poll = { method: "OPTIONS", uri: `sip:${BORDER}:5070` };
  assert.equal(only(b.request(b.peer(), poll)).message.status, 200);
  b.entity.quiesce();
  assert.equal(only(b.request(b.peer(), poll)).message.status, 503);
  const refused = only(b.request(b.peer(), { uri: "sip:alice@example.com" })).message;
  assert.deepEqual([refused.status, refused.header("Retry-After")], [503, "5"]);
  const token = b.modules.hiding.seal("route", "call1", `<sip:${SPROUT}:5054;transport=tcp;lr>`);
  const headers = [`Route: <sip:ibcf.${token}@${BORDER}:5070;lr>`];
  const bye = { method: "BYE", uri: "sip:a@198.51.100.7", to: "<sip:a@example.com>;tag=t1", headers };
  assert.equal(only(b.request(b.peer(), bye)).flow.remoteAddress, SPROUT);
});

test("RFC 5393: a call that a peer sends back to us as it was is a loop", () => {
  const b = new IbcfBench();
  const headers = [`Route: <sip:ibcf.carrier@${CORE}:5058;lr>`];
  const first = only(b.request(b.sprout(), { uri: "sip:bob@x.example", headers }));
  const vias = first.message.values("Via").map((via) => `Via: ${via}`);
  const back = only(
    b.request(b.peer(), {
      uri: "sip:bob@x.example",
      vias: [`Via: SIP/2.0/UDP ${CARRIER};branch=z9hG4bKc1`, ...vias],
    }),
  );
  assert.equal(back.message.isRequest ? "sent on" : back.message.status, 482);
});

test("TS 24.229 §5.3.2.1A, RFC 5502: the calls of a PBX that is a subscriber are originating ones of his, whoever it says that calls", () => {
  for (const [more, said, asserted] of [
    [{}, [], "<sip:pbx@example.com>"],
    [
      { identity: { numbers: ["+493012"] } },
      ["P-Preferred-Identity: <tel:+49301234>", "P-Served-User: <sip:president@example.com>"],
      "<tel:+49301234>",
    ],
  ] as const) {
    const peers = {
      peers: [
        { name: "pbx", addresses: [PBX], served_user: "sip:pbx@example.com", options_seconds: 0, ...more },
      ],
    };
    const b = new IbcfBench({ peers });
    const { message } = only(b.request(b.peer(PBX), { uri: "sip:bob@other.example", headers: said }));
    assert.deepEqual(message.values("Route"), [`<sip:${SPROUT}:5052;transport=tcp;lr;orig>`]);
    assert.equal(message.header("P-Served-User"), "<sip:pbx@example.com>;sescase=orig;regstate=unreg");
    assert.deepEqual(message.values("P-Asserted-Identity"), [asserted]);
    assert.equal(message.has("Proxy-Authorization"), false);
  }
});

test("TS 24.229 §5.4.3.6: where each call has to be proven the S-CSCF is made to ask, whatever the PBX shows", () => {
  const peers = {
    peers: [
      {
        ...{ name: "pbx", addresses: [PBX], served_user: "sip:pbx@example.com", authenticate: true },
        options_seconds: 0,
      },
    ],
  };
  for (const shown of [
    [],
    [
      'Proxy-Authorization: Digest username="pbx@example.com",realm="example.com",nonce="n",uri="x",response="r"',
    ],
    ['Proxy-Authorization: Basic username="pbx@example.com",realm="example.com"'],
  ]) {
    const b = new IbcfBench({ peers });
    const { message } = only(b.request(b.peer(PBX), { uri: "sip:bob@other.example", headers: shown }));
    const lines = message.lines("Proxy-Authorization");
    assert.equal(lines.length, shown.length + 1);
    assert.equal(
      lines.at(-1),
      'Digest username="",realm="example.com",nonce="",uri="sip:example.com",response=""',
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { BORDER, CORE, fromInside, IbcfBench, PBX, SPROUT } from "../support/ibcf-bench.ts";
import { only, type Sent } from "../support/pcscf-bench.ts";

const FORBIDDEN = /^(?:P-Asserted-Identity|P-Served-User|P-Profile-Key|P-User-Database|Service-Route|Path)$/i;
const TOKEN = "A".repeat(64);

/** Nothing that a stranger may not say has passed, and nobody but the I-CSCF and the S-CSCF was sent anything. */
function judge(sent: readonly Sent[], what: string): number {
  let passed = 0;
  for (const { message, flow } of sent) {
    if (!message.isRequest) continue;
    passed++;
    assert.equal(flow.side, "core", what);
    assert.equal(flow.remoteAddress, SPROUT, what);
    for (const [name] of message.entries()) assert.doesNotMatch(name, FORBIDDEN, what);
  }
  return passed;
}

test("whatever a peer sends as a request is refused, or goes to the I-CSCF without what it may not say", () => {
  const ours = `<sip:ibcf@${BORDER}:5070;lr>`;
  const odd: readonly (readonly [uri: string, headers: readonly string[]])[] = [
    ["sip:alice@example.com", [`Route: ${Array(500).fill(ours).join(", ")}`]],
    ["sip:alice@example.com", [`Route: ${ours}`, "Route: <<<>>>"]],
    ["sip:alice@example.com", [`Route: <sip:ibcf.${TOKEN}.${TOKEN}@${BORDER}:5070;lr>`]],
    ["sip:alice@example.com", [`Route: <sip:ibcf.%41%41@${BORDER}:5070;lr>`]],
    [`sip:ibcf.pbx@${CORE}:5058;transport=tcp`, []],
    [`sip:ibcf.${TOKEN}@${BORDER}:5070;lr`, [`Route: <sip:alice@${SPROUT}:5054;lr>`]],
    [`sip:${BORDER}:5070`, []],
    ["sip:;;;@example.com", []],
    ["sip:%00%01@example.com;user=phone", []],
    [`sip:+${"1".repeat(3_000)}@${BORDER}:5070`, []],
    ["tel:+", []],
    ["tel:+1;phone-context", []],
    ["urn:service:sos", []],
    ["sips:alice@example.com", []],
    [
      "sip:alice@example.com",
      Array.from({ length: 300 }, (_, index) => `P-Asserted-Identity: <sip:${index}@x>`),
    ],
    ["sip:alice@example.com", ["p-AsSeRtEd-iDeNtItY: <sip:a@x>", "p-served-user : <sip:a@example.com>"]],
    [
      "sip:alice@example.com",
      ['P-Charging-Vector: icid-value="', "P-Charging-Vector: icid-value=a;icid-value=b"],
    ],
    ["sip:alice@example.com", [`P-Charging-Vector: icid-value=${"x".repeat(60_000)}`]],
    ["sip:alice@example.com", ["Privacy: id;id;;;none", "Content-Type: application/sdp"]],
    ["sip:alice@example.com", [`Record-Route: ${Array(500).fill("<sip:r.example;lr>").join(", ")}`]],
  ];
  let passed = 0;
  for (const method of ["INVITE", "MESSAGE", "NOTIFY", "BYE", "ACK", "OPTIONS"])
    for (const to of ["<sip:alice@example.com>", "<sip:alice@example.com>;tag=t1"])
      for (const [uri, headers] of odd) {
        const b = new IbcfBench();
        passed += judge(
          b.request(b.peer(PBX), { method, uri, to, headers }),
          `${method} ${uri} ${headers.join().slice(0, 60)}`,
        );
      }
  assert.ok(passed > 20, `${passed} passed`);
});

test("a Request-URI that names a way through our network as a strict router's does is refused", () => {
  for (const uri of [
    `sip:${SPROUT}:5054;transport=tcp;lr;orig`,
    `sip:${SPROUT}:5052;transport=tcp;LR`,
    "sip:alice@example.com;lr",
  ]) {
    const b = new IbcfBench();
    const { message, flow } = only(b.request(b.peer(PBX), { method: "MESSAGE", uri }));
    assert.deepEqual([flow.side, message.status], ["peer", 403], uri);
  }
  // Of ours it says nothing: some devices write the address of their proxy there.
  const b = new IbcfBench();
  const { message } = only(b.request(b.peer(PBX), { method: "MESSAGE", uri: `sip:alice@${BORDER}:5070;lr` }));
  assert.equal(message.requestUri, "sip:alice@example.com");
});

test("whatever a peer answers, our network gets its own Via and Record-Route, and nothing that the peer may not say", () => {
  const odd: readonly (readonly string[])[] = [
    [`Record-Route: ${Array(500).fill("<sip:r.example;lr>").join(", ")}`],
    [`Record-Route: <sip:ibcf.${TOKEN}@${BORDER}:5070;lr>`],
    [`Record-Route: <sip:ibcf.pbx@${CORE}:5058;lr>, <sip:${SPROUT};lr>`],
    ["Record-Route: >>>,,,<<<"],
    ["P-Charging-Vector: ;;;", "P-Asserted-Identity: <sip:president@example.com>", "Path: <sip:x>"],
    ["Contact: *", "Retry-After: soon"],
  ];
  for (const status of [180, 200, 302, 401, 503, 699])
    for (const headers of odd) {
      const b = new IbcfBench();
      const inside = fromInside();
      const invite = only(
        b.request(b.sprout(), {
          ...{ uri: "sip:bob@pbx.example", vias: inside.vias },
          headers: [...inside.headers, `Route: <sip:ibcf.pbx@${CORE}:5058;transport=tcp;lr>`],
        }),
      );
      for (const { message, flow } of b.answer(invite, status, headers)) {
        if (flow.side !== "core") continue;
        assert.equal(message.values("Via").length, 3);
        for (const [name] of message.entries()) assert.doesNotMatch(name, FORBIDDEN);
        if (message.status < 300 && message.has("Record-Route"))
          assert.deepEqual(message.values("Record-Route").slice(-3), [
            `<sip:odi.1@${SPROUT}:5054;transport=tcp;lr>`,
            "<sip:pcscf.inside.example:5058;transport=tcp;lr>",
            "<sip:tok@192.0.2.1:5060;lr>",
          ]);
      }
    }
});

test("a second 2xx that was tampered with does not pass, or passes without a way that is not ours", () => {
  const b = new IbcfBench();
  const inside = fromInside();
  const invite = only(
    b.request(b.sprout(), {
      ...{ uri: "sip:bob@pbx.example", vias: inside.vias },
      headers: [...inside.headers, `Route: <sip:ibcf.pbx@${CORE}:5058;transport=tcp;lr>`],
    }),
  );
  only(b.answer(invite, 200));
  const again = (edit: (message: Sent["message"]) => void): Sent[] => {
    const message = invite.message.clone().set("To", "<sip:bob@pbx.example>;tag=t2");
    edit(message);
    return b.answer({ ...invite, message }, 200);
  };
  const [ours = ""] = invite.message.values("Via");
  assert.deepEqual(
    again((message) => void message.set("Via", `${ours}, SIP/2.0/TCP example.com;branch=z9hG4bK${TOKEN}`)),
    [],
  );
  const [passed] = again(
    (message) => void message.set("Record-Route", `<sip:ibcf.${TOKEN}@${BORDER}:5070;lr>`),
  );
  assert.equal(passed?.message.has("Record-Route"), false);
  assert.equal(passed?.message.values("Via").length, 3);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { only, PcscfBench, type Sent, SPROUT } from "../support/pcscf-bench.ts";

const FRAGMENTS = [
  "<",
  ">",
  ";",
  ",",
  ":",
  "@",
  '"',
  "\\",
  "=",
  "%",
  "%41",
  "sip:",
  "tel:",
  "sips:",
  "lr",
  "maddr",
  "transport=tcp",
  "192.0.2.1",
  "192.0.2.1:5060",
  "10.0.0.1:5058",
  "[::1]",
  "example.com",
  "alice",
  "!.*!",
  "__proto__",
  "constructor",
  "Digest ",
  "username=",
  "response=",
  "integrity-protected",
  "tag=",
  "*",
  "?",
  ".",
  "\t",
  " ",
  "\u0000",
  "\u00ff",
];
const value = fc
  .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 6 })), { maxLength: 12 })
  .map((parts) =>
    parts
      .join("")
      .replace(/[\r\n]/g, "")
      .replace(/[^\u0000-\u00ff]/g, "?"),
  );
const name = fc.constantFrom(
  "Route",
  "Record-Route",
  "P-Preferred-Identity",
  "P-Asserted-Identity",
  "P-Called-Party-ID",
  "Authorization",
  "Path",
  "Supported",
  "Require",
  "Privacy",
  "P-Access-Network-Info",
  "P-Early-Media",
  "Accept",
  "Expires",
  "Contact",
  "Via",
);
const line = fc.tuple(name, value).map(([header, text]) => `${header}: ${text}`);

test("RFC 3261 §16.4: a Request-URI that the core would take for a Route is refused: a UE chooses no way through our network", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40003, "TCP");
  bench.register(ue);
  const ask = (uri: string): Sent => only(bench.request(ue, { method: "MESSAGE", callId: uri, uri }));
  for (const uri of [
    `sip:${SPROUT}:5054;transport=tcp;lr`,
    `sip:${SPROUT}:5054;LR;orig`,
    `sip:${SPROUT}:5052;lr=on`,
  ]) {
    const { message, flow } = ask(uri);
    assert.deepEqual([flow.side, message.status], ["access", 403], uri);
  }
  assert.equal(ask("sip:bob@example.com;lr").flow.side, "core", "anybody else's goes the usual way");
});

test("whatever a UE or a core peer writes into header fields, every procedure ends in an answer or a forwarded request", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40001, "TCP");
  const sprout = bench.sprout();
  let count = 0;
  fc.assert(
    fc.property(
      fc.constantFrom("REGISTER", "INVITE", "MESSAGE", "BYE", "OPTIONS", "SUBSCRIBE", "NOTIFY"),
      fc.boolean(),
      fc.boolean(),
      fc.array(line, { maxLength: 4 }),
      value,
      (method, fromUe, inDialog, headers, from) => {
        if (!ue.open) return;
        bench.register(ue);
        const path = fc.sample(fc.boolean(), 1)[0] ? [`Route: ${bench.pathOf(ue)}`] : [];
        const sent = bench.request(fromUe ? ue : sprout, {
          method,
          callId: `h${++count}`,
          from: count % 2 === 0 ? "alice" : `<${from}>`,
          to: `<sip:bob@example.com>${inDialog ? ";tag=x" : ""}`,
          headers: [...(fromUe ? [] : path), ...headers],
        });
        assert.ok(sent.length > 0);
        for (const { message, flow } of sent)
          if (message.isRequest) {
            assert.equal(flow.side === "access", !fromUe);
            if (fromUe && method !== "REGISTER")
              assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>"]);
          }
      },
    ),
    { numRuns: 400 },
  );
  assert.deepEqual(bench.defects, []);
});

test("whatever a UE answers, what it may not assert does not pass", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002, "TCP");
  bench.register(bob, "bob");
  const sprout = bench.sprout();
  let count = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(180, 200, 302, 486, 603),
      fc.array(line, { maxLength: 4 }),
      (status, headers) => {
        const toUe = only(
          bench
            .request(sprout, { callId: `a${++count}`, headers: [`Route: ${bench.pathOf(bob)}`] })
            .filter((one) => one.message.isRequest),
        );
        for (const { message } of bench.answer(
          toUe,
          status,
          headers.filter((one) => !one.startsWith("Via")),
        )) {
          if (message.isRequest) continue;
          assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:bob@example.com>"]);
          assert.equal(message.has("Path"), false);
          assert.deepEqual(
            message.values("Record-Route"),
            status < 300 ? toUe.message.values("Record-Route") : [],
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("the trusted side answers nobody but its peers", () => {
  const bench = new PcscfBench();
  const bob = bench.ue(40002);
  bench.register(bob, "bob");
  const intruder = bench.transport.connect({
    side: "core",
    protocol: "TCP",
    localAddress: "10.0.0.1",
    localPort: 5058,
    remoteAddress: "203.0.113.5",
  });
  const options = { headers: [`Route: ${bench.pathOf(bob)}`] };
  for (const method of ["INVITE", "OPTIONS", "BYE", "REGISTER"])
    assert.equal(only(bench.request(intruder, { ...options, method, callId: method })).message.status, 403);
  assert.deepEqual(bench.request(intruder, { ...options, method: "ACK" }), []);
  assert.ok(bench.refusals.every((why) => why === "foreignPeer"));
});

test("IPv6: Path, Record-Route and our own URIs carry addresses in brackets", () => {
  const bench = new PcscfBench();
  const ue = bench.transport.connect({
    side: "access",
    protocol: "TCP",
    localAddress: "2001:db8::1",
    localPort: 5060,
    remoteAddress: "2001:db8::7",
  });
  assert.match(bench.modules.flows.access(ue).recordRouteTail, /^@\[2001:db8::1\]:5060;transport=tcp;lr>$/);
});

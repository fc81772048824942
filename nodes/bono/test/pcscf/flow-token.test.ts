import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { FakeTransportLayer } from "@ims/sip/testing";
import fc from "fast-check";
import { FlowTokens, flowTokenKey } from "../../src/pcscf/flow-token.ts";

function pool(transport: FakeTransportLayer, key = 1): FlowTokens {
  return new FlowTokens({
    key: createSecretKey(Buffer.alloc(32, key)),
    transport: () => transport,
    side: "access",
  });
}

function layer(): FakeTransportLayer {
  const transport = new FakeTransportLayer();
  transport.listeningPoints.push({ side: "access", protocol: "UDP", host: "192.0.2.1", port: 5060 });
  return transport;
}

test("RFC 5626 §5.3: a UDP token leads to its flow on every member of the pool, also after a restart", () => {
  const here = layer();
  const there = layer();
  for (const remoteAddress of ["198.51.100.7", "2001:db8::7", "2001:db8:0:1:2:3:4:5", "::1"]) {
    const flow = here.connect({ side: "access", protocol: "UDP", remoteAddress, remotePort: 40000 });
    const token = pool(here).issue(flow);
    assert.match(token, /^[A-Za-z0-9_-]+$/);
    assert.deepEqual(pool(here).resolve(token), { kind: "flow", flow });
    const found = pool(there).resolve(token);
    assert.equal(found.kind, "flow");
    if (found.kind !== "flow") continue;
    assert.equal(found.flow.remoteAddress, remoteAddress);
    assert.equal(found.flow.remotePort, 40000);
    assert.equal(pool(there).issue(found.flow), token);
  }
});

test("RFC 5626 §5.3: a connection's token is good in its process while the connection lasts", () => {
  const transport = layer();
  const tokens = pool(transport);
  const flow = transport.connect({ side: "access", protocol: "TCP" });
  const token = tokens.issue(flow);
  assert.deepEqual(tokens.resolve(token), { kind: "flow", flow });
  assert.deepEqual(
    pool(transport).resolve(token),
    { kind: "gone" },
    "another process, same key, same flow number",
  );
  flow.close();
  assert.deepEqual(tokens.resolve(token), { kind: "gone" });
});

test("a token never leads to a flow of another side", () => {
  const transport = layer();
  const tokens = pool(transport);
  const core = transport.connect({ side: "core", protocol: "TCP" });
  assert.deepEqual(tokens.resolve(tokens.issue(core)), { kind: "gone" });
});

test("tokens of another key, changed or invented ones are forged", () => {
  const transport = layer();
  const tokens = pool(transport);
  const token = tokens.issue(transport.connect({ side: "access", protocol: "UDP" }));
  assert.deepEqual(pool(transport, 2).resolve(token), { kind: "forged" });
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    assert.deepEqual(tokens.resolve(changed), { kind: "forged" }, `character ${at}`);
  }
  for (const odd of ["", "A", `${token}=`, `${token}A`, token.slice(1), "__proto__"])
    assert.deepEqual(tokens.resolve(odd), { kind: "forged" });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 21, maxLength: 33 }), (octets) => {
      assert.deepEqual(tokens.resolve(Buffer.from(octets).toString("base64url")), { kind: "forged" });
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.deepEqual(tokens.resolve(text), { kind: "forged" });
    }),
  );
});

test("a dialog mark is good for its token, Call-ID and route set only", () => {
  const tokens = pool(layer());
  const mark = tokens.mark("token", "call1", "sip:a\n");
  assert.equal(tokens.isMark(mark, "token", "call1", "sip:a\n"), true);
  assert.equal(tokens.isMark(mark, "token", "call2", "sip:a\n"), false);
  assert.equal(tokens.isMark(mark, "tokem", "call1", "sip:a\n"), false);
  assert.equal(tokens.isMark(mark, "token", "call1", "sip:a\nsip:b\n"), false);
  assert.equal(tokens.isMark(mark.slice(1), "token", "call1", "sip:a\n"), false);
  assert.equal(tokens.isMark("", "token", "call1", "sip:a\n"), false);
  assert.equal(pool(layer(), 2).isMark(mark, "token", "call1", "sip:a\n"), false);
  fc.assert(
    fc.property(fc.string(), (text) => tokens.isMark(text, "token", "call1", "sip:a\n") === (text === mark)),
  );
});

test("the key is read from hex or base64 and never shorter than 128 bits", () => {
  const equal = (a: string | undefined, b: Buffer): void => assert.deepEqual(flowTokenKey(a)?.export(), b);
  const octets = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  equal(octets.toString("hex"), octets);
  equal(octets.toString("base64"), octets);
  assert.equal(flowTokenKey("00010203"), undefined);
  assert.equal(flowTokenKey(""), undefined);
  assert.equal(flowTokenKey(undefined)?.symmetricKeySize, 32);
});

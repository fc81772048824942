import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { base } from "../../src/base/commands.ts";
import type { Avp, Members } from "../../src/codec/avp.ts";
import { type Command, Dictionary } from "../../src/codec/command.ts";
import { decode } from "../../src/codec/decode.ts";
import { encodeMessage } from "../../src/codec/encode.ts";
import { cx } from "../../src/cx/application.ts";
import { Framer } from "../../src/peer/framer.ts";

const dictionary = new Dictionary([base, cx]);
const commands = [base, cx].flatMap(({ commands }) =>
  commands.flatMap(({ request, answer }) => [request, answer]),
);

const text = fc.string({ unit: "grapheme", maxLength: 60 });

function arbitraryOf(avp: Avp): fc.Arbitrary<unknown> {
  switch (avp.format) {
    case "Unsigned32":
      return fc.nat({ max: 0xffffffff });
    case "Integer32":
      return fc.integer();
    case "Enumerated":
      return fc.constantFrom(...(avp.values ?? [0]));
    case "Unsigned64":
      return fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);
    case "Integer64":
      return fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
    case "Float32":
      return fc.float({ noNaN: true });
    case "Float64":
      return fc.double({ noNaN: true });
    case "Address":
      return fc.oneof(
        fc.ipV4(),
        fc.constantFrom("::", "::1", "2001:db8::1:0:0:1", "fe80::", "1:2:3:4:5:6:7:8"),
      );
    case "Time":
      return fc
        .date({ min: new Date("1970-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
        .map((date) => {
          date.setMilliseconds(0);
          return date;
        });
    case "OctetString":
      return fc.uint8Array({ maxLength: 100 });
    case "Grouped":
      return valuesOf(avp.members ?? {});
    default:
      return text;
  }
}

function valuesOf(members: Members): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  const requiredKeys: string[] = [];
  for (const [key, { avp, occurrence }] of Object.entries(members)) {
    const repeated = occurrence === "many" || occurrence === "some";
    const value = arbitraryOf(avp);
    model[key] = repeated ? fc.array(value, { minLength: 1, maxLength: 4 }) : value;
    if (occurrence === "required" || occurrence === "some") requiredKeys.push(key);
  }
  return fc.record(model, { requiredKeys, noNullPrototype: true });
}

for (const command of commands) {
  test(`RFC 6733 §4: whatever ${command.name} holds comes back`, () => {
    const ids = fc.nat({ max: 0xffffffff });
    fc.assert(
      fc.property(valuesOf(command.avps), ids, ids, (avps, hopByHop, endToEnd) => {
        const bytes = encodeMessage(command as Command, { hopByHop, endToEnd }, avps as never);
        assert.equal(bytes.length % 4, 0);
        const decoded = decode(dictionary, bytes);
        assert.equal(decoded.kind, "message", JSON.stringify(decoded.kind === "fault" && decoded.fault));
        assert.deepEqual(decoded.avps, avps);
        assert.equal(decoded.header.hopByHop, hopByHop);
        assert.equal(decoded.header.endToEnd, endToEnd);
      }),
      { numRuns: 40 },
    );
  });
}

test("any mutation of any message is decoded without an exception, in time that is linear", () => {
  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
  const message = fc
    .constantFrom(...commands)
    .chain((command) =>
      valuesOf(command.avps).map((avps) =>
        encodeMessage(command as Command, { hopByHop: 1, endToEnd: 2 }, avps as never),
      ),
    );
  fc.assert(
    fc.property(message, mutations, fc.boolean(), (bytes, changes, keepHeader) => {
      for (const [at, value] of changes)
        bytes[keepHeader ? 20 + (at % (bytes.length - 20)) : at % bytes.length] = value;
      const before = process.threadCpuUsage();
      const decoded = decode(dictionary, bytes);
      assert.ok(process.threadCpuUsage(before).user < 20_000);
      if (decoded.kind === "fault") assert.ok(decoded.fault.resultCode >= 3000);
    }),
    { numRuns: 3_000 },
  );
});

test("any bytes are decoded without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      if (buffer.length >= 20) {
        buffer[0] = 1;
        buffer.writeUIntBE(buffer.length, 1, 3);
        buffer.writeUIntBE(303, 5, 3);
        buffer.writeUInt32BE(16777216, 8);
      }
      decode(dictionary, buffer);
    }),
    { numRuns: 3_000 },
  );
});

test("the largest message of the smallest AVPs is read within 20 ms", () => {
  const bytes = Buffer.alloc(65_536);
  bytes[0] = 1;
  bytes.writeUIntBE(bytes.length, 1, 3);
  bytes[4] = 0xc0;
  bytes.writeUIntBE(303, 5, 3);
  bytes.writeUInt32BE(16777216, 8);
  for (let at = 20; at + 8 <= bytes.length; at += 8) {
    bytes.writeUInt32BE(0x1ffff, at);
    bytes.writeUInt32BE(8, at + 4);
  }
  decode(dictionary, bytes);
  const before = process.threadCpuUsage();
  assert.equal(decode(dictionary, bytes).kind, "fault");
  assert.ok(process.threadCpuUsage(before).user < 20_000);
});

test("nesting is bounded by the dictionary: no command goes deeper than four groups", () => {
  for (const command of commands) assert.ok(command.plan.depth <= 4, command.name);
});

test("a stream cut anywhere gives the same messages", () => {
  const messages = [40, 20, 300, 24, 65_536].map((length, index) => {
    const bytes = Buffer.alloc(length, index);
    bytes[0] = 1;
    bytes.writeUIntBE(length, 1, 3);
    return bytes;
  });
  const stream = Buffer.concat(messages);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: stream.length }), { maxLength: 30 }), (cuts) => {
      const seen: Buffer[] = [];
      const framer = new Framer(
        65_536,
        (bytes, start, end) => seen.push(Buffer.from(bytes.subarray(start, end))),
        () => assert.fail("broken"),
      );
      let at = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), stream.length]) {
        // The reader's buffer is used again for every read.
        const chunk = Buffer.from(stream.subarray(at, cut));
        framer.push(chunk);
        chunk.fill(0xee);
        at = cut;
      }
      assert.deepEqual(seen, messages);
    }),
    { numRuns: 100 },
  );
});

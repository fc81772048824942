import assert from "node:assert/strict";
import { test } from "node:test";
import { base } from "../../src/base/commands.ts";
import { ResultCode } from "../../src/base/result-codes.ts";
import { Dictionary } from "../../src/codec/command.ts";
import { type Decoded, decode, type UnknownAvp } from "../../src/codec/decode.ts";
import { encodeMessage } from "../../src/codec/encode.ts";
import { cx, Mar } from "../../src/cx/application.ts";
import { mar } from "../../testing/cx-messages.ts";

const dictionary = new Dictionary([base, cx]);

function marBytes(): Buffer {
  return encodeMessage(Mar.request, { hopByHop: 1, endToEnd: 2 }, mar());
}

/** The MAR with more AVPs at its end. */
function marWith(...avps: string[]): Buffer {
  const bytes = Buffer.concat([marBytes(), Buffer.from(avps.join("").replace(/\s/g, ""), "hex")]);
  bytes.writeUIntBE(bytes.length, 1, 3);
  return bytes;
}

/** The MAR without its AVP of that code. */
function marWithout(code: number): Buffer {
  const bytes = marBytes();
  for (let at = 20; at < bytes.length; ) {
    const length = (bytes.readUIntBE(at + 5, 3) + 3) & ~3;
    if (bytes.readUInt32BE(at) === code) {
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      rest.writeUIntBE(rest.length, 1, 3);
      return rest;
    }
    at += length;
  }
  throw new RangeError(`no AVP ${code}`);
}

function faultOf(decoded: Decoded): { resultCode: number; failedAvp: string | undefined } {
  assert.equal(decoded.kind, "fault");
  if (decoded.kind !== "fault") throw new TypeError("not a fault");
  const { resultCode, failedAvp } = decoded.fault;
  return { resultCode, failedAvp: failedAvp && Buffer.from(failedAvp).toString("hex") };
}

function set(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value;
  return bytes;
}

test("RFC 6733 §7.1.5: an unknown mandatory AVP is 5001 and comes back in Failed-AVP", () => {
  const unknown = "0001ffff c000000d 00003039 aa000000".replaceAll(" ", "");
  assert.deepEqual(faultOf(decode(dictionary, marWith(unknown))), {
    resultCode: ResultCode.AVP_UNSUPPORTED,
    failedAvp: unknown,
  });
});

test("RFC 6733 §4.1: an unknown AVP without the M bit is handed out or skipped", () => {
  const unknown: UnknownAvp[] = [];
  const bytes = marWith("0001ffff 80 00000d 00003039 aa 000000");
  assert.equal(decode(dictionary, bytes).kind, "message");
  const decoded = decode(dictionary, bytes, 0, bytes.length, { onUnknown: (avp) => unknown.push(avp) });
  assert.equal(decoded.kind, "message");
  assert.deepEqual(unknown, [{ code: 0x1ffff, vendorId: 12345, flags: 0x80, data: Uint8Array.of(0xaa) }]);
});

test("RFC 6733 §4.1: the same code of another vendor is another AVP", () => {
  assert.equal(faultOf(decode(dictionary, marWith("00000259 c0 000010 00000001 61616161"))).resultCode, 5001);
});

test("RFC 6733 §7.1.5: a missing AVP is 5005 with an example of it in Failed-AVP", () => {
  assert.deepEqual(faultOf(decode(dictionary, marWithout(607))), {
    resultCode: ResultCode.MISSING_AVP,
    failedAvp: "0000025fc0000010000028af00000000",
  });
  assert.deepEqual(faultOf(decode(dictionary, marWithout(263))), {
    resultCode: ResultCode.MISSING_AVP,
    failedAvp: "0000010740000008",
  });
});

test("RFC 6733 §7.1.5: a second one of an AVP that may occur once is 5009", () => {
  assert.deepEqual(faultOf(decode(dictionary, marWith("00000001 40 000009 61 000000"))), {
    resultCode: ResultCode.AVP_OCCURS_TOO_MANY_TIMES,
    failedAvp: "000000014000000961000000",
  });
});

test("RFC 6733 §7.1.5: an AVP longer than the message is 5014 with its header and the least data", () => {
  assert.deepEqual(faultOf(decode(dictionary, marWith("00000116 40 ffffff 00000001"))), {
    resultCode: ResultCode.INVALID_AVP_LENGTH,
    failedAvp: "000001164000000c00000000",
  });
});

test("RFC 6733 §7.1.5: an AVP shorter than its header is 5014 and does not stall the reader", () => {
  for (const length of ["000000", "000007"]) {
    assert.equal(faultOf(decode(dictionary, marWith(`00000116 40 ${length} 00000001`))).resultCode, 5014);
  }
  assert.equal(faultOf(decode(dictionary, marWith("0001ffff c0 000008 00000001"))).resultCode, 5014);
  assert.equal(faultOf(decode(dictionary, marWith("00000116"))).resultCode, 5014);
});

test("RFC 6733 §7.1.5: a number or an address of the wrong size is 5014", () => {
  assert.deepEqual(faultOf(decode(dictionary, marWith("00000116 40 00000b 000001 00"))), {
    resultCode: ResultCode.INVALID_AVP_LENGTH,
    failedAvp: "000001164000000b00000100",
  });
});

test("RFC 6733 §7.1.5: an enumerated value outside its clause is 5004, text that is not UTF-8 too", () => {
  const bytes = marWithout(277);
  const state = Buffer.concat([bytes, Buffer.from("000001154000000c00000063", "hex")]);
  state.writeUIntBE(state.length, 1, 3);
  assert.deepEqual(faultOf(decode(dictionary, state)), {
    resultCode: ResultCode.INVALID_AVP_VALUE,
    failedAvp: "000001154000000c00000063",
  });
  const name = Buffer.concat([marWithout(1), Buffer.from("000000014000000bf09f9800", "hex")]);
  name.writeUIntBE(name.length, 1, 3);
  assert.equal(faultOf(decode(dictionary, name)).resultCode, ResultCode.INVALID_AVP_VALUE);
});

test("RFC 6733 §7.1.3: a reserved AVP flag is 3009", () => {
  assert.equal(faultOf(decode(dictionary, marWith("00000116 41 00000c 00000001"))).resultCode, 3009);
});

test("RFC 6733 §7.1.3, §7.1.5: E in a request is 3008, a reserved header bit 5013", () => {
  assert.equal(faultOf(decode(dictionary, set(marBytes(), 4, 0xe0))).resultCode, ResultCode.INVALID_HDR_BITS);
  assert.equal(
    faultOf(decode(dictionary, set(marBytes(), 4, 0xc1))).resultCode,
    ResultCode.INVALID_BIT_IN_HEADER,
  );
});

test("RFC 6733 §7.1.5: version 2 is 5011, a length that is not the message's 5015", () => {
  assert.equal(faultOf(decode(dictionary, set(marBytes(), 0, 2))).resultCode, ResultCode.UNSUPPORTED_VERSION);
  const bytes = marBytes();
  for (const wrong of [
    bytes.subarray(0, 19),
    bytes.subarray(0, 40),
    Buffer.concat([bytes, Buffer.alloc(3)]),
  ]) {
    assert.equal(faultOf(decode(dictionary, wrong)).resultCode, ResultCode.INVALID_MESSAGE_LENGTH);
  }
  const odd = Buffer.concat([bytes, Buffer.alloc(1)]);
  odd.writeUIntBE(odd.length, 1, 3);
  assert.equal(faultOf(decode(dictionary, odd)).resultCode, ResultCode.INVALID_MESSAGE_LENGTH);
});

test("RFC 6733 §7.1.3: an unknown command is 3001, an unknown application 3007", () => {
  const command = marBytes();
  command.writeUIntBE(999, 5, 3);
  assert.equal(faultOf(decode(dictionary, command)).resultCode, ResultCode.COMMAND_UNSUPPORTED);
  const application = marBytes();
  application.writeUInt32BE(4, 8);
  assert.equal(faultOf(decode(dictionary, application)).resultCode, ResultCode.APPLICATION_UNSUPPORTED);
});

test("RFC 6733 §7.5: what came before and after the fault is there for the error answer", () => {
  const decoded = decode(
    dictionary,
    marWith(
      "0001ffff 40 000008",
      "0000011c 40 000020 00000118 40 000009 70000000 00000021 40 000009 73000000",
    ),
  );
  assert.equal(decoded.kind, "fault");
  assert.equal(decoded.avps["sessionId"], "sprout.example.com;1700000000;1");
  assert.deepEqual(decoded.avps["proxyInfo"], [{ proxyHost: "p", proxyState: Uint8Array.of(0x73) }]);
});

test("RFC 6733 §7.2: an error answer is read although it lacks what the command requires", () => {
  const bytes = Buffer.from(
    "0100002c 60 00012f 01000000 00000001 00000002 0000010c 40 00000c 00000bba 0001ffff 40 00000c 00000000".replaceAll(
      " ",
      "",
    ),
    "hex",
  );
  const decoded = decode(dictionary, bytes);
  assert.equal(decoded.kind, "message");
  assert.deepEqual(decoded.avps, { resultCode: ResultCode.UNABLE_TO_DELIVER });
});

test("RFC 6733 §3.2: an answer that says to whom it goes is read (* [ AVP ])", () => {
  const bytes = Buffer.from(
    "0100003c 40 000130 01000000 00000001 00000002 0000010c 40 00000c 000007d1 00000125 40 00000c 61622e63 0000011b 40 00000d 61622e6364 000000".replaceAll(
      " ",
      "",
    ),
    "hex",
  );
  const decoded = decode(dictionary, bytes);
  assert.equal(decoded.kind, "message");
  assert.deepEqual(decoded.avps, { resultCode: ResultCode.SUCCESS });
});

test("a huge Failed-AVP is cut: an error answer is no amplifier", () => {
  const data = "61".repeat(4000);
  const { failedAvp } = faultOf(decode(dictionary, marWith(`0001ffff 40 000fa8 ${data}`)));
  assert.equal(failedAvp?.length, 2048);
  assert.equal(failedAvp?.slice(8, 16), "40000400");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { base, CapabilitiesExchangeAnswer, DeviceWatchdogRequest } from "../../src/base/commands.ts";
import { type AvpsOf, type Command, Dictionary } from "../../src/codec/command.ts";
import { decode } from "../../src/codec/decode.ts";
import { encodeMessage } from "../../src/codec/encode.ts";
import { cx } from "../../src/cx/application.ts";
import {
  LocationInfoRequest,
  MultimediaAuthAnswer,
  RegistrationTerminationRequest,
} from "../../src/cx/commands.ts";

/** Hex written by hand from the figures of RFC 6733 §3 and §4.1; white space and what follows `//` is for the reader. */
function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\/\/.*$/gm, "").replace(/\s/g, ""), "hex");
}
function text(value: string): string {
  return Buffer.from(value).toString("hex");
}

const dictionary = new Dictionary([base, cx]);

interface Golden<C extends Command> {
  readonly command: C;
  readonly hopByHop: number;
  readonly endToEnd: number;
  readonly flags: number;
  readonly avps: AvpsOf<C>;
  readonly bytes: Buffer;
}

function bothWays<C extends Command>(name: string, golden: Golden<C>): void {
  const { command, hopByHop, endToEnd, flags, avps, bytes } = golden;
  test(`${name}: is written byte for byte`, () => {
    const encoded = encodeMessage(command, { hopByHop, endToEnd, flags: flags & 0x7f }, avps);
    assert.equal(encoded.toString("hex"), bytes.toString("hex"));
  });
  test(`${name}: is read back`, () => {
    const { code, applicationId } = command;
    assert.deepEqual(decode(dictionary, bytes), {
      kind: "message",
      command,
      header: { flags, code, applicationId, hopByHop, endToEnd },
      avps,
    });
  });
}

bothWays("RFC 6733 §5.5.1: DWR", {
  command: DeviceWatchdogRequest,
  hopByHop: 0x11223344,
  endToEnd: 0xfedcba98,
  flags: 0x80,
  avps: { originHost: "a.example", originRealm: "example", originStateId: 5 },
  bytes: hex(`
    01 000044 80 000118 00000000 11223344 fedcba98 // version, 68 bytes, R, 280, application 0
    00000108 40 000011 ${text("a.example")} 000000  // Origin-Host, 17 bytes and 3 of padding
    00000128 40 00000f ${text("example")} 00        // Origin-Realm, 15 bytes and 1
    00000116 40 00000c 00000005                     // Origin-State-Id
  `),
});

bothWays("RFC 6733 §5.3.2: CEA with addresses of both families", {
  command: CapabilitiesExchangeAnswer,
  hopByHop: 1,
  endToEnd: 2,
  flags: 0,
  avps: {
    resultCode: 2001,
    originHost: "h",
    originRealm: "r",
    hostIpAddress: ["192.0.2.1", "2001:db8::1"],
    vendorId: 10415,
    productName: "x",
    vendorSpecificApplicationId: [{ vendorId: 10415, authApplicationId: 16777216 }],
  },
  bytes: hex(`
    01 00009c 00 000101 00000000 00000001 00000002
    0000010c 40 00000c 000007d1
    00000108 40 000009 68 000000
    00000128 40 000009 72 000000
    00000101 40 00000e 0001 c0000201 0000
    00000101 40 00001a 0002 20010db8000000000000000000000001 0000
    0000010a 40 00000c 000028af
    0000010d 00 000009 78 000000
    00000104 40 000020
      0000010a 40 00000c 000028af
      00000102 40 00000c 01000000
  `),
});

bothWays("TS 29.229 §6.1.5: LIR", {
  command: LocationInfoRequest,
  hopByHop: 7,
  endToEnd: 8,
  flags: 0xc0,
  avps: {
    sessionId: "s;1;2",
    vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16777216 },
    authSessionState: 1,
    originHost: "i",
    originRealm: "r",
    destinationRealm: "r",
    originatingRequest: 0,
    publicIdentity: "sip:a@b",
  },
  bytes: hex(`
    01 000098 c0 00012e 01000000 00000007 00000008 // 152 bytes, R and P, 302, application 16777216
    00000107 40 00000d ${text("s;1;2")} 000000
    00000104 40 000020 0000010a 40 00000c 000028af 00000102 40 00000c 01000000
    00000115 40 00000c 00000001                    // Auth-Session-State: NO_STATE_MAINTAINED
    00000108 40 000009 69 000000
    00000128 40 000009 72 000000
    0000011b 40 000009 72 000000
    00000279 c0 000010 000028af 00000000           // Originating-Request 633, V and M, vendor 10415
    00000259 c0 000013 000028af ${text("sip:a@b")} 00
  `),
});

bothWays("TS 29.229 §6.1.8: MAA with SIP Digest and with AKA", {
  command: MultimediaAuthAnswer,
  hopByHop: 0,
  endToEnd: 0xffffffff,
  flags: 0x40,
  avps: {
    sessionId: "s",
    vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16777216 },
    resultCode: 2001,
    authSessionState: 1,
    originHost: "h",
    originRealm: "r",
    sipNumberAuthItems: 2,
    sipAuthDataItem: [
      {
        sipAuthenticationScheme: "SIP Digest",
        sipDigestAuthenticate: { digestRealm: "r", digestQop: "auth", digestHa1: "ab" },
      },
      { sipItemNumber: 2, sipAuthenticate: Uint8Array.of(0xff, 0x00, 0x80) },
    ],
  },
  bytes: hex(`
    01 000100 40 00012f 01000000 00000000 ffffffff
    00000107 40 000009 73 000000
    00000104 40 000020 0000010a 40 00000c 000028af 00000102 40 00000c 01000000
    0000010c 40 00000c 000007d1
    00000115 40 00000c 00000001
    00000108 40 000009 68 000000
    00000128 40 000009 72 000000
    0000025f c0 000010 000028af 00000002
    00000264 c0 000054 000028af                     // SIP-Auth-Data-Item 612: 12 + 24 + 48
      00000260 c0 000016 000028af ${text("SIP Digest")} 0000
      0000027b 80 000030 000028af                   // SIP-Digest-Authenticate 635: 12 + 12 + 12 + 12
        00000068 40 000009 72 000000
        0000006e 40 00000c ${text("auth")}
        00000079 40 00000a ${text("ab")} 0000
    00000264 c0 00002c 000028af
      00000265 c0 000010 000028af 00000002
      00000261 c0 00000f 000028af ff0080 00
  `),
});

bothWays("TS 29.229 §6.1.9: RTR with a reason in UTF-8", {
  command: RegistrationTerminationRequest,
  hopByHop: 0xffffffff,
  endToEnd: 0,
  flags: 0xd0,
  avps: {
    sessionId: "s",
    vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16777216 },
    authSessionState: 1,
    originHost: "h",
    originRealm: "r",
    destinationHost: "d",
    destinationRealm: "r",
    userName: "u",
    publicIdentity: ["p", "q"],
    deregistrationReason: { reasonCode: 0, reasonInfo: "été" },
  },
  bytes: hex(`
    01 0000d8 d0 000130 01000000 ffffffff 00000000
    00000107 40 000009 73 000000
    00000104 40 000020 0000010a 40 00000c 000028af 00000102 40 00000c 01000000
    00000115 40 00000c 00000001
    00000108 40 000009 68 000000
    00000128 40 000009 72 000000
    00000125 40 000009 64 000000
    0000011b 40 000009 72 000000
    00000001 40 000009 75 000000
    00000259 c0 00000d 000028af 70 000000
    00000259 c0 00000d 000028af 71 000000
    00000267 c0 000030 000028af                     // Deregistration-Reason 615: 12 + 16 + 20
      00000268 c0 000010 000028af 00000000
      00000269 c0 000011 000028af c3a974c3a9 000000
  `),
});

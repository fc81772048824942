import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emergencyService,
  isEmergencyContact,
  isEmergencyRegistration,
  isPsapCallback,
  widerServices,
} from "../../src/index.ts";

test("RFC 5031 §4.2: urn:service:sos and its parts, in any case, are emergencies; other URIs are not", () => {
  const services: readonly (readonly [string, string | undefined])[] = [
    ["urn:service:sos", "urn:service:sos"],
    ["URN:SERVICE:SOS.Police", "urn:service:sos.police"],
    ["urn:service:sos.ecall.automatic", "urn:service:sos.ecall.automatic"],
    ["urn:service:sos;x=y", "urn:service:sos"],
    ["urn:service:sosnot", undefined],
    ["urn:service:counseling", undefined],
    ["urn:urn:service:sos", undefined],
    ["sip:sos@example.com", undefined],
    ["tel:112", undefined],
    ["", undefined],
  ];
  for (const [uri, service] of services) assert.equal(emergencyService(uri), service, uri);
});

test("RFC 5031 §3: nested, broken and endless labels are left out, the emergency stays one", () => {
  const services: readonly (readonly [string, string])[] = [
    ["urn:service:sos.urn:service:sos", "urn:service:sos"],
    ["urn:service:sos.fire.urn:service:sos.police", "urn:service:sos.fire"],
    ["urn:service:sos.", "urn:service:sos"],
    ["urn:service:sos..police", "urn:service:sos"],
    ["urn:service:sos.-", "urn:service:sos"],
    ["urn:service:sos.<script>", "urn:service:sos"],
    ["urn:service:sos.police\u0000x", "urn:service:sos"],
    [`urn:service:sos.${"x".repeat(27)}`, "urn:service:sos"],
    [`urn:service:sos${".a".repeat(100_000)}`, `urn:service:sos${".a".repeat(8)}`],
  ];
  for (const [uri, service] of services) assert.equal(emergencyService(uri), service, uri.slice(0, 60));
});

test("RFC 5031 §4.2: a service is a part of those that its name begins with", () => {
  assert.deepEqual(widerServices("urn:service:sos.ecall.automatic"), [
    "urn:service:sos.ecall.automatic",
    "urn:service:sos.ecall",
    "urn:service:sos",
  ]);
  assert.deepEqual(widerServices("urn:service:sos"), ["urn:service:sos"]);
});

test("TS 24.229 §7.2A.13: the SIP URI parameter sos makes an emergency registration, nothing else that looks like it does", () => {
  for (const contact of [
    "<sip:alice@192.0.2.1;sos>",
    "<sip:alice@192.0.2.1:5060;transport=tcp;SOS>;expires=600",
    '"a, b" <sip:alice@192.0.2.1;sos;transport=udp>',
    "sip:alice@192.0.2.1;sos",
    "<sip:192.0.2.1;sos>",
  ])
    assert.equal(isEmergencyContact(contact), true, contact);
  for (const contact of [
    "<sip:alice@192.0.2.1>",
    "<sip:alice@192.0.2.1>;sos",
    "<sip:alice@192.0.2.1;sosnot>",
    "<sip:alice@192.0.2.1;not=sos>",
    "<sip:a;sos@192.0.2.1>",
    '"<sip:a@b;sos>" <sip:alice@192.0.2.1>',
    '"\\"<;sos>" <sip:alice@192.0.2.1>',
    "*",
    "",
  ])
    assert.equal(isEmergencyContact(contact), false, contact);
});

test("TS 24.229 §5.1.6.2: a REGISTER with both kinds of Contact, or none, is no emergency registration", () => {
  assert.equal(isEmergencyRegistration(["<sip:a@b;sos>"]), true);
  assert.equal(isEmergencyRegistration(["<sip:a@b;sos>", "<sip:a@c>"]), false);
  assert.equal(isEmergencyRegistration([]), false);
});

test("RFC 7090 §5: only the priority value psap-callback marks a call back", () => {
  for (const value of ["psap-callback", " PSAP-Callback "]) assert.equal(isPsapCallback(value), true);
  for (const value of ["emergency", "urgent", "psap-callbacks", "", undefined])
    assert.equal(isPsapCallback(value), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalImpu, impiOfImpu, isImpi, telOfPhoneUri } from "../../src/index.ts";

test("TS 23.003 §13.4: one canonical form for every spelling of a public identity", () => {
  const cases: [string, string | undefined][] = [
    ["sip:alice@example.com", "sip:alice@example.com"],
    ["SIP:alice@EXAMPLE.com;transport=tcp?Subject=x", "sip:alice@example.com"],
    ["sips:Alice@example.com", "sip:Alice@example.com"],
    ["sip:%61lice@example.com", "sip:alice@example.com"],
    ["sip:a%2fb%3cc@example.com", "sip:a/b%3Cc@example.com"],
    ["sip:alice:secret@example.com:5060", "sip:alice@example.com:5060"],
    ["sip:+1650;ext=1@example.com;user=phone", "sip:+1650;ext=1@example.com"],
    ["sip:conference.example.com", "sip:conference.example.com"],
    ["sip:a@[2001:DB8::1]:5070", "sip:a@[2001:db8::1]:5070"],
    ["tel:+1-650-555.0000;ext=7", "tel:+16505550000"],
    ["TEL:+(1)650", "tel:+1650"],
    ["sip:__proto__@example.com", "sip:__proto__@example.com"],
    ["tel:5550000;phone-context=+1650", undefined],
    ["tel:+", undefined],
    ["sip:", undefined],
    ["sip:@example.com", undefined],
    ["sip:alice@", undefined],
    ["sip:al ice@example.com", undefined],
    ["sip:alice@exa mple.com", undefined],
    ["sip:alice@b@example.com", undefined],
    ["sip:%zz@example.com", undefined],
    ["<sip:alice@example.com>", undefined],
    ["mailto:alice@example.com", undefined],
    ["", undefined],
    [`sip:${"a".repeat(600)}@example.com`, undefined],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalImpu(text), expected, text);
});

test("TS 24.229 §5.3.2.1: a SIP URI with user=phone and a global number stands for a tel URI", () => {
  assert.equal(telOfPhoneUri("sip:+1-650-555@example.com;user=phone"), "tel:+1650555");
  assert.equal(telOfPhoneUri("sip:+1650;npdi@example.com;user=phone"), "tel:+1650");
  assert.equal(telOfPhoneUri("sip:+1650@example.com"), undefined);
  assert.equal(telOfPhoneUri("sip:1650@example.com;user=phone"), undefined);
});

test("TS 23.003 §13.3: a private identity is a network access identifier", () => {
  assert.equal(isImpi("6505550000@example.com"), true);
  for (const bad of ["alice", "@example.com", "a@b@c", "a b@c", "a@", `${"a".repeat(300)}@b`, 'a"@b']) {
    assert.equal(isImpi(bad), false, bad);
  }
  assert.equal(impiOfImpu("sip:alice@example.com"), "alice@example.com");
  assert.equal(impiOfImpu("tel:+1650"), undefined);
});

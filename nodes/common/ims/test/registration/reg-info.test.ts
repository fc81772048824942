import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRegInfo, parseRegInfo, type RegInfo } from "@ims/ims";

const whole: RegInfo = {
  version: 7,
  state: "full",
  registrations: [
    {
      aor: "sip:alice@example.com",
      id: "a1",
      state: "active",
      contacts: [
        {
          id: "c1",
          state: "active",
          event: "shortened",
          uri: "sip:alice@192.0.2.1:5060;transport=tcp",
          expires: 60,
          retryAfter: undefined,
          q: 500,
          callId: "a<b>&c@192.0.2.1",
          cseq: 42,
          unknownParameters: [
            ["+sip.instance", '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'],
            ["+g.3gpp.smsip", ""],
          ],
          publicGruu: "sip:alice@example.com;gr=urn:uuid:1",
          temporaryGruu: { uri: "sip:tgruu.x@example.com;gr", firstCseq: 40 },
        },
        {
          id: "c2",
          state: "terminated",
          event: "probation",
          uri: "sip:alice@[2001:db8::1]",
          expires: undefined,
          retryAfter: 30,
          q: undefined,
          callId: undefined,
          cseq: undefined,
          unknownParameters: [],
          publicGruu: undefined,
          temporaryGruu: undefined,
        },
      ],
    },
    { aor: "tel:+15550001", id: "a2", state: "terminated", contacts: [] },
    {
      aor: "sip:desk-0@example.com",
      id: "a3",
      state: "init",
      contacts: [],
      wildcard: "sip:desk-!.*!@example.com",
    },
  ],
};

test("RFC 3680 §5, RFC 5628 §5: a document is built and read back whole", () => {
  const text = buildRegInfo(whole);
  assert.deepEqual(parseRegInfo(text), { kind: "parsed", regInfo: whole });
  assert.match(
    text,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\r\n<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" /,
  );
  assert.match(text, /xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"/);
  assert.match(text, /xmlns:ere="urn:3gpp:ns:extRegExp:1\.0"/);
  // The order that the schema has: uri, unknown-param, then what is of another name space.
  assert.match(text, /<uri>.*<unknown-param .*<gr:pub-gruu .*<gr:temp-gruu /);
});

test("RFC 3680 §5: without GRUUs and wildcards their name spaces are left out", () => {
  const text = buildRegInfo({ version: 0, state: "full", registrations: [] });
  assert.equal(
    text,
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"></reginfo>\r\n',
  );
});

test("RFC 3680 §5.3: extensions, prefixes, comments and white space are passed over", () => {
  const read = parseRegInfo(`<?xml version="1.0"?><!-- x -->
    <r:reginfo xmlns:r='urn:ietf:params:xml:ns:reginfo' version = '3' state='partial'>
      <r:registration id="1" aor='sip:a&amp;b@example.com' state="active" x:more="1">
        <r:contact id="2" state="active" event="created" q="1"><r:uri>
          sip:a@192.0.2.1 </r:uri><x:y><z/></x:y></r:contact>
        <x:other/>
      </r:registration>
    </r:reginfo>`);
  assert.equal(read.kind, "parsed");
  const [one] = read.kind === "parsed" ? read.regInfo.registrations : [];
  assert.equal(one?.aor, "sip:a&b@example.com");
  assert.equal(one?.contacts[0]?.uri, "sip:a@192.0.2.1");
  assert.equal(one?.contacts[0]?.q, 1000);
});

test("bombs, entities, depth, bad UTF-8, wrong and missing values are refused with a reason", () => {
  const around = (inner: string): string =>
    `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">${inner}</reginfo>`;
  for (const text of [
    "",
    "x",
    "<reginfo/>",
    '<presence version="0" state="full"/>',
    '<reginfo version="-1" state="full"/>',
    '<reginfo version="99999999999999999999" state="full"/>',
    '<reginfo version="0" state="some"/>',
    '<!DOCTYPE r [<!ENTITY a "b">]><reginfo version="0" state="full"/>',
    around('<registration id="1" state="active"/>'),
    around('<registration aor="sip:a@b" id="1" state="gone"/>'),
    around(
      '<registration aor="sip:a@b" id="1" state="active"><contact id="2" state="active" event="x"><uri>sip:a</uri></contact></registration>',
    ),
    around(
      '<registration aor="sip:a@b" id="1" state="active"><contact id="2" state="active" event="created"/></registration>',
    ),
    around('<registration aor="\ufffd" id="1" state="active"/>'),
    around("<a>".repeat(50_000)),
    around(`<registration ${"a".repeat(200_000)}/>`),
    around(`<registration ${"a:".repeat(100_000)}/>`),
    around("x".repeat(2_000_000)),
  ])
    assert.equal(parseRegInfo(text).kind, "malformed", text.slice(0, 80));
});

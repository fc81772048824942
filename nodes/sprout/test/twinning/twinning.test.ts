import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessage, type SipMessage } from "@ims/sip";
import { nativeUri } from "../../src/twinning/native-uri.ts";
import { Twinning } from "../../src/twinning/twinning.ts";
import { type Bench, BOB, BOB_KEYS } from "../support/bench.ts";
import { builtInBench } from "../support/built-in.ts";
import { BOB_URI, calls, statuses } from "../support/mmtel.ts";

const VOIP = "sip:bob@192.0.2.2:5060";
const MOBILE = "sip:123bob@192.0.2.9:5060";
const ON_MOBILE = "sip:bob@192.0.2.3:5060";
const NATIVE = '*;+g.3gpp.ics="server,principal";explicit;require';

interface TwinBench extends Bench {
  readonly counted: string[];
}

/** Bob has a VoIP client; calls for numbers with the prefix leave over the BGCF's route. */
async function twinBench(serverName: string): Promise<TwinBench> {
  const counted: string[] = [];
  const bench = await builtInBench({
    serverName,
    of: "bob",
    service: "gemini",
    server: () =>
      new Twinning({
        homeDomain: "example.com",
        counters: { twinning: (outcome) => void counted.push(outcome) },
      }),
  });
  bench.cx.subscribers.push({ impi: "123bob@example.com", impus: ["sip:123bob@example.com"] });
  await bench.registered(
    {
      impu: "sip:123bob@example.com",
      contact: '<sip:123bob@192.0.2.9:5060>;+g.3gpp.ics="server,principal"',
    },
    { username: "123bob@example.com" },
  );
  return Object.assign(bench, { counted });
}

const PREFIXED = "sip:mobile-twinned@gemini.example.com;twin-prefix=123";

/** The INVITEs among what left, by their Request-URI. */
function legs(sent: readonly SipMessage[]): Map<string, SipMessage> {
  return new Map(sent.filter(({ method }) => method === "INVITE").map((each) => [each.requestUri, each]));
}

function answers(b: Bench, asked: SipMessage | undefined, status: number): Promise<SipMessage[]> {
  assert.ok(asked);
  return b.send(b.answer(asked, status), b.dialled());
}

test("RFC 3841: a call goes to VoIP clients that are not on the mobile, and to the mobile by its prefix", async () => {
  const b = await twinBench(PREFIXED);
  const sent = legs(await calls(b));
  assert.deepEqual([...sent.keys()].sort(), [MOBILE, VOIP]);
  const voip = sent.get(VOIP);
  assert.deepEqual(voip?.values("Reject-Contact"), ["*;+sip.with-twin", '*;+g.3gpp.ics="server,principal"']);
  assert.equal(voip?.has("Accept-Contact"), false);
  const native = sent.get(MOBILE);
  assert.equal(native?.header("P-Called-Party-ID"), "<sip:123bob@example.com>");
  assert.deepEqual(native?.values("Accept-Contact"), [NATIVE]);
  assert.deepEqual(native?.values("Reject-Contact"), ["*;+sip.with-twin"]);
  assert.deepEqual(b.counted, ["forked"]);
  // Whoever answers has the call.
  await answers(b, voip, 180);
  await answers(b, native, 180);
  const answered = await answers(b, native, 200);
  assert.deepEqual(statuses(answered), [200]);
  assert.equal(answered.find(({ method }) => method === "CANCEL")?.requestUri, VOIP);
});

test("RFC 3841: a client on the mobile does not ring beside it; when the mobile is off it rings alone", async () => {
  const b = await twinBench(PREFIXED);
  // A contact that says nothing of itself gets every call.
  await b.registered({ ...BOB, contact: `<${VOIP}>;audio`, callId: "reg-voip" }, BOB_KEYS);
  await b.registered({ ...BOB, contact: `<${ON_MOBILE}>;+sip.with-twin` }, BOB_KEYS);
  const sent = legs(await calls(b));
  assert.deepEqual([...sent.keys()].sort(), [MOBILE, VOIP]);
  assert.deepEqual([...legs(await answers(b, sent.get(MOBILE), 480)).keys()], [ON_MOBILE]);
});

test("480 of the mobile: the client on it is asked, and may answer", async () => {
  const b = await twinBench(PREFIXED);
  await b.registered({ ...BOB, contact: `<${ON_MOBILE}>;+sip.with-twin` }, BOB_KEYS);
  const sent = legs(await calls(b));
  const again = legs(await answers(b, sent.get(MOBILE), 480));
  const onMobile = again.get(ON_MOBILE);
  assert.deepEqual(onMobile?.values("Accept-Contact"), ["*;+sip.with-twin;explicit;require"]);
  assert.equal(onMobile?.has("Reject-Contact"), false);
  assert.deepEqual(b.counted, ["forked", "unregistered"]);
  assert.deepEqual(statuses(await answers(b, onMobile, 200)), [200]);
});

test("other refusals of the mobile are not tried again; both refuse: the better answer", async () => {
  const b = await twinBench(PREFIXED);
  const sent = legs(await calls(b));
  assert.equal(legs(await answers(b, sent.get(MOBILE), 500)).size, 0);
  assert.deepEqual(statuses(await answers(b, sent.get(VOIP), 486)), [486]);
});

test("RFC 5627: who means one client by its GRUU gets that one", async () => {
  const b = await twinBench(PREFIXED);
  const sent = await calls(b, { uri: `${BOB_URI};gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6` });
  assert.deepEqual(b.counted, ["voip"]);
  assert.equal(legs(sent).has(MOBILE), false);
});

test("RFC 3841 §9.2: who asks for the mobile gets the mobile alone, and its 480 is the answer", async () => {
  const b = await twinBench(PREFIXED);
  const sent = legs(await calls(b, { headers: ['Accept-Contact: *;+g.3gpp.ics="server"'] }));
  assert.deepEqual([...sent.keys()], [MOBILE]);
  assert.deepEqual(statuses(await answers(b, sent.get(MOBILE), 480)), [480]);
  assert.deepEqual(b.counted, ["native"]);
});

test("a prefix that is none, or missing, leaves the Request-URI as it is: the mobile has registered itself", async () => {
  for (const more of ["", ";twin-prefix", ";twin-prefix=%0d%0a", `;twin-prefix=${"1".repeat(200)}`]) {
    const b = await twinBench(`sip:mobile-twinned@gemini.example.com${more}`);
    const left = (await calls(b)).filter(({ method }) => method === "INVITE");
    assert.ok(left.length > 0 && left.every((each) => each.requestUri === VOIP), more);
    assert.equal(b.counted[0], "forked");
  }
});

test("MESSAGE is not twinned", async () => {
  const b = await twinBench(PREFIXED);
  const [message, ...more] = await calls(b, { method: "MESSAGE" });
  assert.equal(more.length, 0);
  assert.equal(message?.has("Reject-Contact"), false);
  assert.deepEqual(b.counted, []);
});

test("RFC 3261 §19.1.6: where the mobile is, of SIP and tel URIs", () => {
  const cases = [
    ["sip:bob@example.com", "123", "sip:123bob@example.com"],
    ["sips:+4930@example.com;user=phone", "9", "sips:9+4930@example.com;user=phone"],
    ["tel:+49-30-1234", "7", "sip:7+49301234@example.com;user=phone"],
    ["tel:110#;phone-context=example.com", "7", "sip:7110%23@example.com;user=phone"],
    ["tel:+49301234", "", "tel:+49301234"],
    ["sip:example.com", "123", undefined],
    ["urn:service:info", "123", undefined],
  ] as const;
  for (const [uri, prefix, expected] of cases) {
    const parsed = parseMessage(
      `INVITE ${uri} SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n`,
    );
    const { message } = parsed;
    assert.ok(message);
    assert.equal(nativeUri(message, prefix, "example.com"), expected, uri);
  }
});

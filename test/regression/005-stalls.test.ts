import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, type TestContext, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** Milliseconds that a node takes to answer a poll behind whatever it is doing. */
async function poller(t: TestContext, port: number): Promise<() => Promise<number>> {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  await new Promise<void>((resolve) => socket.bind(0, core.host, resolve));
  let answered: () => void = () => undefined;
  socket.on("message", () => answered());
  let count = 0;
  return async () => {
    const began = performance.now();
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const here = `${core.host}:${socket.address().port}`;
    socket.send(
      [
        `OPTIONS sip:${core.host}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${here};branch=z9hG4bKpoll${port}${++count};rport`,
        "Max-Forwards: 70",
        "From: <sip:poll@example.com>;tag=1",
        `To: <sip:${core.host}:${port}>`,
        `Call-ID: poll${port}${count}`,
        "CSeq: 1 OPTIONS",
        "Content-Length: 0\r\n\r\n",
      ].join("\r\n"),
      port,
      core.host,
    );
    const timer = setTimeout(() => answered(), 5_000);
    await answer;
    clearTimeout(timer);
    return performance.now() - began;
  };
}

const fill = (part: string, octets = 60_000): string => part.repeat(Math.floor(octets / part.length));
const distinct = (start: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `;${start}${index.toString(36)}`).join("");

/** Best of three: a loaded machine delays one of them, a slow algorithm all. */
async function stallOf(send: () => void, poll: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 4; attempt++) {
    send();
    const first = await poll();
    const second = await poll();
    if (attempt > 0) best = Math.min(best, Math.max(first, second));
  }
  return best;
}

const STRANGE: Record<string, (ue: SipUe) => string> = {
  "a strict router's Request-URI with thousands of Routes": (ue) =>
    text(ue, `sip:${core.host}:5060;lr`, `Route: ${fill("<sip:a>,")}<sip:b>`),
  "thousands of Routes": (ue) => text(ue, "sip:example.com", `Route: ${fill("<sip:a>,")}<sip:b>`),
  "thousands of Contacts": (ue) => text(ue, "sip:example.com", `Contact: ${fill("<sip:a>,")}<sip:b>`),
  "thousands of Vias": (ue) => text(ue, "sip:example.com", `Via: ${fill("SIP/2.0/UDP a,")}SIP/2.0/UDP b`),
  "thousands of Contact parameters": (ue) =>
    text(ue, "sip:example.com", `Contact: <sip:a>${distinct("p", 10_000)}`),
  "thousands of folded lines": (ue) => text(ue, "sip:example.com", `Subject: a${fill("\r\n b")}`),
  "thousands of unclosed quotes": (ue) => text(ue, "sip:example.com", `Contact: ${fill('"<')}`),
  "thousands of credentials parameters": (ue) =>
    text(ue, "sip:example.com", `Authorization: Digest ${fill("a=1,")}a=1`),
  "thousands of option-tags": (ue) =>
    text(ue, "sip:example.com", `Proxy-Require: ${fill("a,")}a\r\nRequire: x`),
};

function text(ue: SipUe, uri: string, line: string): string {
  const request = ue.request("REGISTER", uri, { callId: `stall${Math.random()}` });
  return request.append("Content-Length", "0").toString().replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
}

for (const [what, make] of Object.entries(STRANGE))
  test(`no message stalls a node: ${what}`, async (t) => {
    const ue = await SipUe.open(t, core, { user: "6505550000" });
    for (const port of [5060, 5052]) {
      const poll = await poller(t, port);
      for (let warm = 0; warm < 20; warm++) await poll();
      const stall = await stallOf(() => ue.sendText(make(ue)), poll);
      assert.ok(stall < 40, `${port}: ${stall.toFixed(1)} ms`);
    }
  });

test("no message of a registered UE stalls a node: contacts that differ in thousands of parameters", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000", transport: "tcp" });
  assert.equal((await ue.register()).status, 200);
  const uri = `sip:u@${ue.localAddress}:${ue.localPort}`;
  const contact = Array.from("abcdefgh")
    .map((name) => `<${uri}${distinct(name, 400)}>;+sip.instance="<urn:x:${name}>"`)
    .join(", ");
  for (const port of [5060, 5052]) {
    const poll = await poller(t, port);
    for (let warm = 0; warm < 20; warm++) await poll();
    const stall = await stallOf(() => {
      const request = ue.request("REGISTER", "sip:example.com");
      request.append("Contact", contact).append("Expires", "600");
      request.append(
        "Authorization",
        'Digest username="6505550000@example.com", realm="example.com", nonce="", uri="sip:example.com", response=""',
      );
      ue.send(request);
    }, poll);
    assert.ok(stall < 40, `${port}: ${stall.toFixed(1)} ms`);
  }
});

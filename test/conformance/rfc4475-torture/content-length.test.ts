import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rawTcpClient, rawUdpClient } from "../../support/raw-sip-client.ts";
import { checkServes, type Edge } from "../edge.ts";
import { stackEdge } from "../stack-edge.ts";
import { sip } from "../wire.ts";

const ends: (() => unknown)[] = [];
let edge: Edge = { host: "", udpPort: 0, tcpPort: 0 };
before(async () => {
  edge = await stackEdge({ after: (end) => ends.push(end) }, "127.0.0.1");
});
after(async () => {
  for (const end of ends) await end();
});

let count = 0;
function options(contentLength: string, body = ""): string {
  const id = `length${count++}`;
  return sip`
OPTIONS sip:user@example.com SIP/2.0
Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK${id}
To: sip:user@example.com
From: sip:caller@example.net;tag=384
Max-Forwards: 70
Call-ID: ${id}
CSeq: 1 OPTIONS
Content-Type: text/plain
${contentLength}

${body}`;
}

const tcp = (): { host: string; port: number } => ({ host: edge.host, port: edge.tcpPort });
const status = (response: string): string => response.slice(8, 11);

const NO_LENGTHS = [
  "Content-Length: -1",
  "Content-Length: +5",
  "Content-Length: 5;a",
  "Content-Length: 0x5",
  "Content-Length: 5, 5",
  "Content-Length: five",
  "Content-Length:",
  "Content-Length: 5\r\nl: 6",
  "Content-Length: 5\r\nContent-Length : 05\r\nL: 7",
  "X-No-Length: 5",
];
for (const line of NO_LENGTHS)
  test(`RFC 3261 §18.3, §20.14: ${JSON.stringify(line)} on a stream is answered 400 and ends it`, async (t) => {
    const client = await rawTcpClient(t, tcp());
    client.send(options(line, "12345") + options("Content-Length: 0"));
    const response = await client.expect("400", (message) => message.startsWith("SIP/2.0"));
    assert.equal(status(response), "400");
    await client.expectClose();
    assert.equal(client.received.length, 1, "what follows cannot be trusted");
    await checkServes(t, edge);
  });

for (const length of ["65537", "99999999999999999999"])
  test(`RFC 3261 §21.5.14: a Content-Length of ${length} on a stream is answered at once and ends it`, async (t) => {
    const client = await rawTcpClient(t, tcp());
    client.send(options(`Content-Length: ${length}`, "12345"));
    const response = await client.expect("513 or 400", (message) => message.startsWith("SIP/2.0"));
    assert.match(status(response), /^(513|400)$/);
    await client.expectClose();
  });

test("RFC 3261 §18.3: a Content-Length that is too small: the message is taken, what is left over ends the stream", async (t) => {
  const client = await rawTcpClient(t, tcp());
  client.send(options("Content-Length: 1", "1<- this is left over\r\n\r\n"));
  assert.equal(status(await client.expect("403", () => true)), "403");
  await client.expectClose();
  await checkServes(t, edge);
});

test("RFC 3261 §18.3: a Content-Length that is too large swallows what follows, and no more than it says", async (t) => {
  const client = await rawTcpClient(t, tcp());
  const swallowed = options("Content-Length: 0");
  client.send(options(`Content-Length: ${5 + swallowed.length}`, "12345") + swallowed + options("l: 0"));
  await client.expect("the third one's answer", (message) => message.includes(`Call-ID: length${count - 1}`));
  assert.deepEqual(client.received.map(status), ["403", "403"]);
});

test("RFC 3261 §7.3.1, §20.14: a folded, a compact and a repeated Content-Length that agree are one", async (t) => {
  const client = await rawTcpClient(t, tcp());
  client.send(options("Content-Length\t :\r\n  5", "12345") + options("l:5\r\nContent-Length: 005", "12345"));
  await client.expect("the second one's answer", (message) =>
    message.includes(`Call-ID: length${count - 1}`),
  );
  assert.deepEqual(client.received.map(status), ["403", "403"]);
});

test("RFC 3261 §18.3: on UDP a body longer than Content-Length is cut, a shorter one is an error", async (t) => {
  const client = await rawUdpClient(t, { host: edge.host, port: edge.udpPort });
  client.send(options("Content-Length: 3", "12345"));
  assert.equal(status(await client.expect("403", () => true)), "403");
  client.send(options("Content-Length: 6", "12345"));
  const id = `Call-ID: length${count - 1}`;
  assert.equal(status(await client.expect("400", (message) => message.includes(id))), "400");
});

test("RFC 3261 §7.5, RFC 5626 §4.4.1: line ends between messages are ignored, two are a ping", async (t) => {
  const client = await rawTcpClient(t, tcp());
  client.send(`\r\n\r\n\r\n${options("l: 0")}\r\n${options("l: 0")}`);
  await client.expect("the second one's answer", (message) =>
    message.includes(`Call-ID: length${count - 1}`),
  );
  assert.equal(client.received.length, 2);
});

for (const garbage of [
  "\0\0\0\0",
  "<<<<",
  '"',
  ":",
  "\n\n",
  "\r\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "\xff\xfe\xfd",
])
  test(`a stream that begins with ${JSON.stringify(garbage)} is no SIP and is closed`, async (t) => {
    const client = await rawTcpClient(t, tcp());
    client.send(garbage);
    await client.expectClose();
    assert.deepEqual(client.received, []);
    await checkServes(t, edge);
  });

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { rawTcpClient, rawUdpClient } from "../support/raw-sip-client.ts";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://${core.host}:${port}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  assert.notEqual(line, undefined, name);
  return Number(line?.slice(name.length + 1));
}

function request(method: string, count: number, more = ""): string {
  return [
    `${method} sip:6505550001@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP ${core.host}:5999;branch=z9hG4bKflood${method}${count};rport`,
    "Max-Forwards: 70",
    `From: <sip:6505550000@example.com>;tag=${count}`,
    `To: <sip:6505550001@example.com>${more}`,
    `Call-ID: flood${method}${count}`,
    `CSeq: 1 ${method}`,
    "Content-Length: 0\r\n\r\n",
  ].join("\r\n");
}

test("RFC 3261 §8.2.7, §26.3.2.4: requests of strangers cost no memory and are answered once", async (t) => {
  const udp = await rawUdpClient(t, { host: core.host, port: 5060 });
  const kinds = [
    ["INVITE", ""],
    ["INVITE", ";tag=1"],
    ["SUBSCRIBE", ""],
    ["BYE", ";tag=1"],
    ["UNHEARDOF", ""],
    ["CANCEL", ""],
    ["ACK", ""],
  ] as const;
  let sent = 0;
  for (let round = 0; round < 60; round++) {
    for (const [method, more] of kinds) udp.send(request(method, ++sent, more));
    await pause(2);
  }
  await pause(1_500);
  const cancels = 60;
  assert.ok((await metric(9101, "ims_bono_server_transactions")) <= cancels);
  assert.equal(await metric(9101, "ims_bono_client_transactions"), 0);
  const invites = udp.received.filter((one) => one.includes("CSeq: 1 INVITE"));
  assert.equal(invites.length, 120);
});

test("names of methods a stranger makes up do not become names of metrics", async (t) => {
  const udp = await rawUdpClient(t, { host: core.host, port: 5060 });
  const size = async (): Promise<number> =>
    (await (await fetch(`http://${core.host}:9101/metrics`)).text()).split("\n").length;
  udp.send(request("MADEUP", 100_000));
  await pause(100);
  const before = await size();
  for (let count = 0; count < 300; count++) udp.send(request(`MADEUP${count}`, 100_001 + count));
  await pause(300);
  assert.ok((await size()) - before < 5);
});

test("half-open connections and garbage on every port leave the core working", async (t) => {
  const garbage = [
    "",
    "\r\n".repeat(5_000),
    "\0".repeat(5_000),
    "REGISTER sip:example.com SIP/2.0\r\nVia: ",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n\x81\x85\x00\x00\x00\x00\xffabcd",
    "\x01\x00\x00\x13\x80\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01",
    `\x01\x00\x01\x00\x80\x00\x01\x01${"\0".repeat(11)}\x01${"\xff".repeat(236)}`,
    `\x01\xff\xff\xfc\x80\x00\x01\x01${"\xff".repeat(600)}`,
    `POST /subscribers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n${"[".repeat(100_000)}`,
    `POST /subscribers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n{"__proto__":{"polluted":1},"impi":1}\n`,
    `GET /${"a".repeat(60_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ];
  const pids = core.nodes.map(({ pid }) => pid);
  for (const port of [5060, 5062, 5058, 5052, 5054, 3868, 8889, 9101, 9102, 9103])
    for (const bytes of garbage)
      for (let copy = 0; copy < 5; copy++) {
        const socket = connect(port, core.host);
        socket.on("error", () => undefined).resume();
        socket.write(Buffer.from(bytes, "latin1"));
        t.after(() => socket.destroy());
      }
  await pause(1_000);
  for (const pid of pids) assert.equal(process.kill(pid, 0), true);
  assert.doesNotMatch(core.output(), /starting it again|procedure failed|"level":"(?:error|fatal)"/);
  for (const port of [9101, 9102, 9103])
    assert.equal((await fetch(`http://${core.host}:${port}/health/ready`)).status, 200, String(port));
  const tcp = await rawTcpClient(t, { host: core.host, port: 5060 });
  tcp.send(request("REGISTER", 1).replace("/UDP", "/TCP").replaceAll("6505550001", "6505550000"));
  await tcp.expect("401", (text) => text.startsWith("SIP/2.0 401"));
});

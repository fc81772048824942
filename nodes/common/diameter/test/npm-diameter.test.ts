import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { until } from "../testing/raw-peer.ts";
import { startNode } from "../testing/start-node.ts";

/** The npm package `diameter` as the other side: an implementation of the base protocol that is not ours. */

type Body = [string | number, unknown][];
interface Message {
  readonly command: string;
  header: { hopByHopId: number; applicationId: number; flags: Record<string, boolean> };
  body: Body;
}
interface RequestEvent {
  readonly message: Message;
  readonly response: Message;
  callback(response: Message): void;
}
interface ForeignSocket extends Socket {
  diameterConnection: {
    hopByHopIdCounter: number;
    createRequest(application: string, command: string, sessionId?: string): Message;
    sendRequest(request: Message, timeoutMs: number): Promise<Message>;
  };
}
interface Foreign {
  createServer(options: object, onSocket: (socket: ForeignSocket) => void): import("node:net").Server;
  createConnection(options: object, onConnect: () => void): ForeignSocket;
}
const foreign = createRequire(import.meta.url)("diameter") as Foreign;

const COMMON = "Diameter Common Messages";
const own: Body = [
  ["Origin-Host", "foreign.example.com"],
  ["Origin-Realm", "example.com"],
];
const capabilities: Body = [
  ...own,
  ["Host-IP-Address", "127.0.0.1"],
  ["Vendor-Id", 0],
  ["Product-Name", "node-diameter"],
  // Its dictionary has another number for Cx: the relay application is understood by both.
  ["Auth-Application-Id", 0xffffffff],
];

function avp(message: Message, name: string): unknown {
  return message.body.find(([key]) => key === name)?.[1];
}

async function foreignServer(
  t: TestContext,
): Promise<{ port: number; commands: string[]; sockets: ForeignSocket[] }> {
  const commands: string[] = [];
  const sockets: ForeignSocket[] = [];
  const server = foreign.createServer({}, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("diameterMessage", ({ message, response, callback }: RequestEvent) => {
      commands.push(message.command);
      const body = message.command === "Capabilities-Exchange" ? capabilities : own;
      response.body = [["Result-Code", "DIAMETER_SUCCESS"], ...body];
      callback(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, commands, sockets };
}

async function ask(socket: ForeignSocket, command: string, body: Body): Promise<Message> {
  const { diameterConnection } = socket;
  const request = diameterConnection.createRequest(COMMON, command);
  // These commands have no Session-Id (RFC 6733 §5.3 to §5.5); the package puts one everywhere.
  request.body = body;
  return diameterConnection.sendRequest(request, 3_000);
}

async function foreignClient(t: TestContext, port: number): Promise<ForeignSocket> {
  const socket = await new Promise<ForeignSocket>((resolve) => {
    const created: ForeignSocket = foreign.createConnection({ host: "127.0.0.1", port }, () =>
      resolve(created),
    );
  });
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  // It counts up from a random number and does not wrap.
  socket.diameterConnection.hopByHopIdCounter = 1;
  return socket;
}

test("npm diameter as server: our CER, DWR and DPR are answered", async (t) => {
  const clock = fakeClock();
  const { port, commands } = await foreignServer(t);
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  node.addPeer({ host: "127.0.0.1", port });
  node.start();
  await until(() => node.isConnected("foreign.example.com"), "connection");
  clock.advance(30_000);
  await until(() => commands.includes("Device-Watchdog"), "DWR");
  // The DWA has come when Tw later the next DWR goes out instead of a failover.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(30_000);
  await until(() => commands.filter((name) => name === "Device-Watchdog").length === 2, "second DWR");
  assert.equal(node.isConnected(), true);
  await node.stop();
  assert.deepEqual(commands, [
    "Capabilities-Exchange",
    "Device-Watchdog",
    "Device-Watchdog",
    "Disconnect-Peer",
  ]);
});

test("npm diameter as server: a connection that it drops is opened again", async (t) => {
  const { port, sockets, commands } = await foreignServer(t);
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port });
  node.start();
  await until(() => node.isConnected(), "connection");
  sockets[0]?.destroy();
  await until(() => commands.length === 2 && node.isConnected(), "second connection");
});

test("npm diameter as client: its CER, DWR and DPR are answered", async (t) => {
  const node = startNode(t, "hss.example.com");
  const socket = await foreignClient(t, await node.listen({ host: "127.0.0.1", port: 0 }));
  const cea = await ask(socket, "Capabilities-Exchange", capabilities);
  assert.equal(avp(cea, "Result-Code"), "DIAMETER_SUCCESS");
  assert.equal(avp(cea, "Origin-Host"), "hss.example.com");
  assert.equal(avp(cea, "Host-IP-Address"), "127.0.0.1");
  assert.equal(avp(cea, "Product-Name"), "tidewater");
  assert.equal(node.isConnected("foreign.example.com"), true);
  const dwa = await ask(socket, "Device-Watchdog", own);
  assert.equal(avp(dwa, "Result-Code"), "DIAMETER_SUCCESS");
  const dpa = await ask(socket, "Disconnect-Peer", [...own, ["Disconnect-Cause", 0]]);
  assert.equal(avp(dpa, "Result-Code"), "DIAMETER_SUCCESS");
  assert.equal(node.isConnected("foreign.example.com"), false);
});

test("npm diameter as client: without a common application CEA says 5010", async (t) => {
  const node = startNode(t, "hss.example.com");
  const socket = await foreignClient(t, await node.listen({ host: "127.0.0.1", port: 0 }));
  const body = capabilities.map(([name, value]): Body[number] => [
    name,
    name === "Auth-Application-Id" ? 4 : value,
  ]);
  const cea = await ask(socket, "Capabilities-Exchange", body);
  assert.equal(avp(cea, "Result-Code"), "DIAMETER_NO_COMMON_APPLICATION");
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { defaultLimits, trustedLimits } from "../../src/index.ts";
import { message, rawPeer, type Station, station, until } from "./support.ts";

/** A station whose time goes on while nothing of it happens. */
function sleeper(
  t: TestContext,
  options: Parameters<typeof station>[1] = {},
): Station & { readonly clock: FakeClock; sleep(ms: number): void; readonly warnings: object[] } {
  const clock = fakeClock();
  const warnings: object[] = [];
  let slept = 0;
  const log = { warn: (fields: object) => void warnings.push(fields), debug: () => undefined };
  const monotonic = (): number => clock.monotonic() + slept;
  const one = station(t, { ...options, log, clock: { ...clock, monotonic } });
  const sleep = (ms: number): void => {
    slept += ms;
  };
  return Object.assign(one, { clock, warnings, sleep });
}

const at = (protocol: "TCP" | "UDP") => ({ side: "core", protocol, host: "127.0.0.1", port: 0 }) as const;

test("RFC 3261 §17.1: a request that may have waited longer than timers B and F is dropped, its connection reset, and both are told", async (t) => {
  const { layer, messages, stale, clock, sleep, warnings } = sleeper(t);
  const { port } = await layer.listen(at("TCP"));
  const ue = await rawPeer(t, port);
  ue.socket.write(message("before"));
  await until("first", () => messages.length === 1);
  sleep(defaultLimits.staleMs + 1);
  ue.socket.write(message("waited"));
  await until("reset", () => ue.closed);
  assert.deepEqual([messages.length, stale], [1, ["core"]]);

  // Its timers run, but not all of its sockets have been read.
  clock.advance(500);
  assert.deepEqual(warnings, [{ stoodMs: defaultLimits.staleMs + 501 }]);
  const next = await rawPeer(t, port);
  next.socket.write(message("waited too"));
  await until("reset", () => next.closed);
  clock.advance(1_000);
  const last = await rawPeer(t, port);
  last.socket.write(message("fresh"));
  await until("fresh", () => messages.length === 2);
  assert.match(messages[1]?.text ?? "", /Call-ID: fresh/);
  assert.deepEqual(stale, ["core", "core"]);
});

test("a datagram that may have waited so long is dropped unless it is an answer; its sender sends it again", async (t) => {
  const { layer, messages, stale, clock, sleep } = sleeper(t);
  const { port } = await layer.listen(at("UDP"));
  const peer = station(t);
  await peer.layer.listen(at("UDP"));
  const flow = peer.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port }, "core");
  const answer = message("answer").replace(/^.*\r\n/, "SIP/2.0 200 OK\r\n");
  sleep(defaultLimits.staleMs + 1);
  flow.send(message("waited"));
  flow.send(answer);
  await until("answer", () => messages.length === 1);
  assert.deepEqual([messages[0]?.text, stale], [answer, ["core"]]);
  clock.advance(500);
  clock.advance(1_000);
  flow.send(message("waited"));
  await until("again", () => messages.length === 2);
});

test("what answers us over a connection that we opened is heard however late", async (t) => {
  const { layer, messages, stale, sleep } = sleeper(t);
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.resume()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const flow = layer.flowTo({ protocol: "TCP", address: "127.0.0.1", port: address.port }, "core");
  flow.send(message("asked"));
  await until("connected", () => sockets.length === 1 && flow.localPort !== 0);
  sleep(defaultLimits.staleMs + 1);
  const answer = message("asked").replace(/^.*\r\n/, "SIP/2.0 200 OK\r\n");
  sockets[0]?.write(message("a request of theirs") + answer);
  await until("answer", () => messages.length === 1);
  assert.deepEqual([messages[0]?.text, stale, flow.open], [answer, ["core"], true]);
});

test("who stood still for less drops nothing; neighbours, who give a silent hop up sooner, less", async (t) => {
  const options = { sideLimits: { core: trustedLimits } };
  const { layer, messages, stale, clock, sleep, warnings } = sleeper(t, options);
  const core = await layer.listen(at("TCP"));
  const access = await layer.listen({ ...at("TCP"), side: "access" });
  const neighbour = await rawPeer(t, core.port);
  const ue = await rawPeer(t, access.port);
  sleep(trustedLimits.staleMs - 600);
  clock.advance(500);
  neighbour.socket.write(message(1));
  ue.socket.write(message(2));
  await until("both", () => messages.length === 2);
  clock.advance(2_000);
  assert.deepEqual(warnings, []);
  sleep(trustedLimits.staleMs + 600);
  neighbour.socket.write(message(3));
  ue.socket.write(message(4));
  await until("reset", () => neighbour.closed);
  await until("third", () => messages.length === 3);
  assert.deepEqual([ue.closed, stale], [false, ["core"]]);
});

test("SIGSTOP and SIGCONT: what the kernel had taken for the process meanwhile is not served", async (t) => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("stopped-process.ts", import.meta.url)), "1500"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await until("ports", () => lines.length === 1);
  const [, tcpPort = 0, udpPort = 0] = (lines[0] ?? "").split(" ").map(Number);
  const peer = station(t);
  await peer.layer.listen(at("UDP"));
  const datagrams = peer.layer.flowTo({ protocol: "UDP", address: "127.0.0.1", port: udpPort }, "core");
  const [one, two] = [await rawPeer(t, tcpPort), await rawPeer(t, tcpPort)];
  one.socket.write(message("first"));
  datagrams.send(message("first"));
  await until("first", () => lines.length === 3);

  child.kill("SIGSTOP");
  one.socket.write(message("waited"));
  datagrams.send(message("waited"));
  const late = await rawPeer(t, tcpPort);
  late.socket.write(message("waited"));
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  child.kill("SIGCONT");
  await until("reset", () => one.closed && late.closed);
  await until("log", () => lines.some((line) => line.startsWith("log")));
  assert.equal(two.closed, false, "nothing waited on it");
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  two.socket.write(message("after"));
  datagrams.send(message("after"));
  await until("after", () => lines.filter((line) => line.endsWith("after")).length === 2);
  assert.deepEqual(
    lines.slice(1).sort(),
    ["TCP after", "TCP first", "UDP after", "UDP first", ...lines.filter((line) => line.startsWith("log"))]
      .concat(["stale", "stale", "stale"])
      .sort(),
  );
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResult, Mar, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import { parseMessage } from "@ims/sip";

const PROGRAM = join(import.meta.dirname, "../../../nodes/sprout/bin/sprout.ts");

interface Running {
  readonly host: string;
  readonly child: ChildProcess;
  readonly management: number;
  readonly exited: Promise<number | string | null>;
  readonly output: () => string;
}

async function startSprout(t: TestContext, hssPort: number): Promise<Running> {
  const host = `127.${randomInt(121, 200)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const child = spawn(
    process.execPath,
    [
      PROGRAM,
      "--host",
      host,
      "--hss-peer",
      `127.0.0.1:${hssPort}`,
      "--hss-timeout-ms",
      "5000",
      "--management-port",
      "0",
    ],
    { stdio: ["ignore", "pipe", "pipe", "ipc"] },
  );
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const exited = once(child, "exit").then(([code, signal]) => code ?? signal);
  const [message] = (await once(child, "message", { signal: AbortSignal.timeout(20_000) })) as [
    { ports: { management: number } },
  ];
  return { host, child, management: message.ports.management, exited, output: () => output };
}

/** An HSS whose MAA wait until they are let go. */
async function slowHss(t: TestContext): Promise<{ port: number; waiting: (() => void)[] }> {
  const hss = startNode(t, "hss.example.com");
  const waiting: (() => void)[] = [];
  hss.handle(Uar, () => ({ ...cxResult("FIRST_REGISTRATION") }));
  hss.handle(
    Mar,
    () =>
      new Promise((resolve) =>
        waiting.push(() =>
          resolve({
            resultCode: ResultCode.SUCCESS,
            sipAuthDataItem: [
              {
                sipAuthenticationScheme: "SIP Digest",
                sipDigestAuthenticate: {
                  digestRealm: "example.com",
                  digestQop: "auth",
                  digestAlgorithm: "MD5",
                  digestHa1: "0123456789abcdef0123456789abcdef",
                },
              },
            ],
          }),
        ),
      ),
  );
  return { port: await hss.listen({ host: "127.0.0.1", port: 0 }), waiting };
}

interface Hop {
  readonly socket: Socket;
  /** Status by Call-ID. */
  readonly answers: Map<string, number>;
  send(method: string, callId: string, uri?: string): void;
}

async function hopTo(t: TestContext, host: string, port: number): Promise<Hop> {
  const socket = connect({ host, port, localAddress: host });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  const answers = new Map<string, number>();
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const parsed = parseMessage(text.slice(0, end + 4));
      if (parsed.kind === "message") answers.set(parsed.message.callId, parsed.message.status);
      text = text.slice(end + 4);
    }
  });
  return {
    socket,
    answers,
    send: (method, callId, uri = "sip:example.com") =>
      void socket.write(
        [
          `${method} ${uri} SIP/2.0`,
          `Via: SIP/2.0/TCP ${host}:5058;branch=z9hG4bK${callId};oc;oc-algo="loss"`,
          "Max-Forwards: 70",
          "From: <sip:alice@example.com>;tag=f",
          "To: <sip:alice@example.com>",
          `Call-ID: ${callId}`,
          `CSeq: 1 ${method}`,
          'Authorization: Digest username="alice@example.com", realm="example.com", nonce="", uri="sip:example.com", response=""',
          "Contact: <sip:alice@10.0.0.1>",
          "Path: <sip:token@127.0.0.1:5058;transport=tcp;lr>",
          "Supported: path",
          "Content-Length: 0",
          "\r\n",
        ].join("\r\n"),
      ),
  };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    assert(waited < 10_000, `${what} within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("SIGTERM to a sprout in the middle of transactions: they are answered, new ones go elsewhere, exit code 0", async (t) => {
  const hss = await slowHss(t);
  const sprout = await startSprout(t, hss.port);
  const hop = await hopTo(t, sprout.host, 5052);
  for (const callId of ["r1", "r2", "r3"]) hop.send("REGISTER", callId);
  await until(() => hss.waiting.length === 3, "three MARs");

  sprout.child.kill("SIGTERM");
  await until(() => sprout.output().includes('"msg":"stopping"'), "the signal was noticed");
  const ready = await fetch(`http://127.0.0.1:${sprout.management}/health/ready`);
  assert.equal(ready.status, 503);
  await ready.body?.cancel();
  hop.send("REGISTER", "late");
  hop.send("OPTIONS", "poll", `sip:${sprout.host}:5052`);
  await until(() => hop.answers.size === 2, "answers to what is new");
  assert.deepEqual([...hop.answers].sort(), [
    ["late", 503],
    ["poll", 503],
  ]);
  assert.equal(hop.socket.readableEnded, false);

  for (const answer of hss.waiting) answer();
  await until(() => hop.answers.size === 5, "answers to what was in progress");
  for (const callId of ["r1", "r2", "r3"]) assert.equal(hop.answers.get(callId), 401, callId);
  assert.equal(await sprout.exited, 0);
  assert.match(sprout.output(), /"requests":0\},"msg":"nothing is in progress any more"/);
});

test("a deadline ends a drain, exit code 0, and the log says how much was in progress; a second SIGTERM does so at once", async (t) => {
  const hss = await slowHss(t);
  const sprout = await startSprout(t, hss.port);
  const hop = await hopTo(t, sprout.host, 5052);
  for (const callId of ["r1", "r2"]) hop.send("REGISTER", callId);
  await until(() => hss.waiting.length === 2, "two MARs");
  sprout.child.kill("SIGTERM");
  await until(() => sprout.output().includes('"msg":"stopping"'), "the signal was noticed");
  sprout.child.kill("SIGTERM");
  assert.equal(await sprout.exited, 0);
  assert.match(sprout.output(), /"requests":2\}.*not everything in progress has ended/);
});

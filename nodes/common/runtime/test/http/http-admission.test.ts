import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { clientName } from "../../src/http/client-name.ts";
import { HttpAdmission } from "../../src/http/http-admission.ts";
import { HttpBusyError } from "../../src/http/http-busy-error.ts";
import { systemClock } from "../../src/index.ts";
import { metricsRegister } from "../../src/metrics/register.ts";
import { fakeClock } from "../../testing/index.ts";
import { openConnection, startServer, until } from "./http-under-test.ts";

const clock = systemClock();
/** Late ones until a limit begins. */
const LOOKS = 6;

test("a client has one name, also over IPv6, where it has as many addresses as it likes", () => {
  assert.equal(clientName("192.0.2.1"), "192.0.2.1");
  assert.equal(clientName("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(clientName("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(clientName("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  assert.equal(clientName("2001:db8::9"), "2001:db8:0:0::/64");
  assert.equal(clientName("::1"), "0:0:0:0::/64");
  assert.equal(clientName("fe80::1%eth0"), "fe80:0:0:0::/64");
});

test("without delay everything is taken and nothing is limited", async (t) => {
  const { admission, url } = await startServer(t, { clock });
  for (let round = 0; round < 20; round++) {
    admission.measured(5, 1_000);
    assert.equal((await fetch(url, { method: "POST", body: "x" })).status, 200);
  }
});

test("RFC 9110 §15.6.4, §10.2.3: while requests wait too long there is 503, and another time to come back for each", async (t) => {
  const register = metricsRegister();
  const { admission, url } = await startServer(t, { clock, register, metricsPrefix: "ims_test" });
  const many = (): Promise<Response[]> =>
    Promise.all(Array.from({ length: 40 }, () => fetch(url, { method: "POST", body: "x" })));
  for (let look = 0; look < LOOKS; look++) {
    await many();
    admission.measured(400, 1_000);
  }
  const answers = await many();
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length > 20, `${refused.length} refused`);
  const times = new Set(refused.map(({ headers }) => Number(headers.get("retry-after"))));
  assert.ok(times.size > 1, [...times].join(", "));
  for (const seconds of times)
    assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 61, `${seconds}`);
  const text = await register.scrape();
  assert.ok(Number(/^ims_test_http_refused_total (\d+)$/m.exec(text)?.[1]) >= refused.length);
  assert.match(text, /^ims_test_http_admission_rate [1-9]/m);
  // The end: half a second without delay or refusal.
  admission.measured(0, 1_000);
  await new Promise((resolve) => setTimeout(resolve, 600));
  admission.measured(0, 600);
  assert.equal((await fetch(url)).status, 200);
  assert.match(await register.scrape(), /^ims_test_http_admission_rate 0$/m);
});

test("who asks for more than its share is refused, and who asks seldom is served", async (t) => {
  const { admission, port } = await startServer(t, { clock });
  const ask = async (address: string, count: number): Promise<string[]> => {
    const { socket, ended } = await openConnection(t, port, address);
    for (let sent = 0; sent < count; sent++)
      socket.write(
        `GET / HTTP/1.1\r\nHost: x\r\nConnection: ${sent === count - 1 ? "close" : "keep-alive"}\r\n\r\n`,
      );
    return [...(await ended).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
  };
  for (let look = 0; look < LOOKS; look++) {
    await ask("127.0.0.2", 50);
    admission.measured(200, 1_000);
  }
  const [greedy, modest] = await Promise.all([ask("127.0.0.2", 50), ask("127.0.0.3", 1)]);
  assert.ok(greedy.filter((status) => status === "503").length > 10, greedy.join(" "));
  assert.deepEqual(modest, ["200"]);
});

test("files are sent while other work is refused and say nothing of what gets done; beyond their allowance they are work like any other", async (t) => {
  const still = fakeClock();
  const { admission, url } = await startServer(t, { clock: still }, { kind: "files" });
  const many = (count: number): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, async () => (await fetch(url)).status));
  const served = new Set([200]);
  for (const count of [64, 64, 64, 64, 0, 0]) {
    assert.ok((await many(count)).every((status) => served.has(status)));
    admission.measured(400, 1_000);
  }
  assert.equal(admission.problem, undefined);
  assert.deepEqual(new Set(await many(10)), served);
  admission.measured(400, 1_000);
  assert.match(admission.problem ?? "", /^limited/);
  const refused = many(10);
  await until(() => still.pending() === 10, "ten refusals wait");
  still.advance(400);
  assert.deepEqual(new Set(await refused), new Set([503]));
  still.advance(1_000);
  assert.deepEqual(new Set(await many(64)), served);
  assert.match(admission.problem ?? "", /^limited/);
});

test("one client has so many connections and no more, and others are not touched", async (t) => {
  const { port } = await startServer(t, { clock, connectionsEach: 3, connections: 5 });
  const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const mine = await Promise.all([1, 2, 3].map(() => openConnection(t, port, "127.0.0.2")));
  for (const { socket } of mine) socket.write(get);
  await until(() => mine.every(({ text }) => text().startsWith("HTTP/1.1 200")), "three are served");
  const fourth = await openConnection(t, port, "127.0.0.2");
  assert.equal(await fourth.ended, "");
  const other = await openConnection(t, port, "127.0.0.3");
  other.socket.write(get);
  await until(() => other.text().startsWith("HTTP/1.1 200"), "another client is served");
  // One that has ended makes room.
  mine[0]?.socket.destroy();
  await mine[0]?.ended;
  await new Promise((resolve) => setTimeout(resolve, 50));
  const fifth = await openConnection(t, port, "127.0.0.2");
  fifth.socket.write(get);
  await until(() => fifth.text().startsWith("HTTP/1.1 200"), "served again");
});

test("a body that nobody will read is not waited for: the connection of its refusal ends, others stay", async () => {
  const admission = new HttpAdmission({ clock, targetMs: 50, floor: 1 });
  const { onRequest, preHandler, onSend } = admission.hooks("normal");
  const ask = async (headers: Record<string, string>): Promise<string | undefined> => {
    const socket = { destroyed: false, pause: () => undefined, resume: () => undefined };
    const raw = { headers, socket } as unknown as IncomingMessage;
    const request = { raw, ip: "192.0.2.1" };
    let connection = "stays";
    try {
      await onRequest(request, { header: (_name, value) => (connection = value) });
      await preHandler(request);
      onSend(request, undefined, undefined, () => undefined);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof HttpBusyError);
      return connection;
    }
  };
  const many = (headers: Record<string, string>): Promise<(string | undefined)[]> =>
    Promise.all(Array.from({ length: 60 }, () => ask(headers)));
  for (let look = 0; look < LOOKS; look++) {
    await many({});
    admission.measured(400, 1_000);
  }
  const refusals = async (headers: Record<string, string>): Promise<unknown> =>
    new Set((await many(headers)).filter((connection) => connection !== undefined));
  assert.deepEqual(await refusals({ "content-length": "8000000" }), new Set(["close"]));
  assert.deepEqual(await refusals({ "transfer-encoding": "chunked" }), new Set(["close"]));
  assert.deepEqual(await refusals({ "content-length": "80" }), new Set(["stays"]));
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { LARGEST_CROWD, memberOf } from "../memory/crowd.ts";
import { Pace, Steady } from "../memory/pace.ts";
import { failedIn, referenceText } from "../memory/reference.ts";
import { registerCrowd } from "../memory/register-crowd.ts";
import { memoryText } from "../memory/table.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** A registrar that challenges, loses the first request, and refuses one UE once. */
async function startRegistrar(): Promise<{ port: number; registered: Set<string>; close: () => void }> {
  const socket = createSocket("udp4");
  const registered = new Set<string>();
  const refused = new Set<string>();
  let lost = false;
  socket.on("message", (bytes, from) => {
    const text = bytes.toString();
    const field = (name: string): string => new RegExp(`^${name}: (.*)\r$`, "m").exec(text)?.[1] ?? "";
    const answer = (status: string, more = ""): void => {
      const copied = ["Via", "From", "To", "Call-ID", "CSeq"].map((name) => `${name}: ${field(name)}\r\n`);
      socket.send(
        `SIP/2.0 ${status}\r\n${copied.join("")}${more}Content-Length: 0\r\n\r\n`,
        from.port,
        from.address,
      );
    };
    if (!lost) {
      lost = true;
      return;
    }
    const name = /sip:([^@]+)@/.exec(field("To"))?.[1] ?? "";
    if (name === memberOf(1).name && !refused.has(name)) {
      refused.add(name);
      return answer("503 Service Unavailable", "Retry-After: 1\r\n");
    }
    const response = / response="([^"]+)"/.exec(field("Authorization"))?.[1];
    if (response === undefined)
      return answer(
        "401 Unauthorized",
        'WWW-Authenticate: Digest realm="example.com",nonce="abc",algorithm=MD5,qop="auth"\r\n',
      );
    const secret = md5(`${name}@example.com:example.com:pw-${name}`);
    const expected = md5(`${secret}:abc:00000001:${name}:auth:${md5("REGISTER:sip:example.com")}`);
    if (response !== expected) return answer("403 Forbidden");
    registered.add(`${name} ${from.address}:${from.port}`);
    answer("200 OK");
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, registered, close: () => void socket.close() };
}

test("each of a crowd registers from its own address with its own credentials, in spite of losses and refusals", async (t) => {
  const registrar = await startRegistrar();
  t.after(registrar.close);
  const result = await registerCrowd({
    ...{ target: { host: "127.0.0.1", port: registrar.port }, domain: "example.com" },
    ...{ from: 0, to: 40, memberOf, atOnce: 8, rate: 1000 },
  });
  assert.deepEqual([result.registered, result.failed, result.refusals], [40, 0, 1]);
  assert.ok(result.retransmissions >= 1);
  assert.equal(registrar.registered.size, 40);
  assert.ok(registrar.registered.has(`${memberOf(39).name} ${memberOf(39).address}:5060`));
});

test("what cannot be registered is counted, with the first reason", async (t) => {
  const registrar = await startRegistrar();
  t.after(registrar.close);
  const result = await registerCrowd({
    ...{ target: { host: "127.0.0.1", port: registrar.port }, domain: "example.com" },
    ...{ from: 50, to: 53, memberOf: (number) => ({ ...memberOf(number), password: "wrong" }) },
    ...{ atOnce: 2, rate: 1000 },
  });
  assert.deepEqual([result.registered, result.failed, result.problem], [0, 3, "SIP/2.0 403 Forbidden"]);
});

test("a crowd comes faster from second to second, and slower as soon as some of it is refused", () => {
  const pace = new Pace(1000, 0);
  const begun = (from: number, to: number): number => {
    let count = 0;
    for (let now = from; now < to; now += 10) while (pace.take(now)) count += 1;
    return count;
  };
  assert.deepEqual([pace.rate, begun(0, 1000)], [100, 100]);
  for (let second = 1; second <= 40; second++) pace.tell(0, second * 1000);
  assert.equal(pace.rate, 1000);
  assert.equal(begun(40_000, 40_010), 100, "no more than a tenth of a second's at once");
  pace.tell(30, 41_000);
  pace.tell(40, 41_500);
  assert.equal(Math.round(pace.rate), 700, "judged once a second");
  pace.tell(42, 42_000);
  assert.equal(Math.round(pace.rate), 700, "who was refused comes back");
  for (let second = 43; second < 46; second++) pace.tell(42, second * 1000);
  assert.equal(Math.round(pace.rate), 932, "and it grows again");
  pace.tell(42, 45_999);
  pace.tell(42, 46_000);
  assert.equal(Math.round(pace.rate), 941, "carefully where it was too much before");
  for (let second = 47; second < 100; second++) pace.tell(second * second, second * 1000);
  assert.equal(pace.rate, 20);
  for (let second = 100; second < 119; second++) pace.tell(99 * 99, second * 1000);
  assert.equal(Math.round(pace.rate), 24);
  pace.tell(99 * 99, 119_000);
  assert.equal(Math.round(pace.rate), 27, "no longer than trouble of that rate would last");
});

test("a steady crowd comes at its rate whatever it meets, and makes good a second at most", () => {
  const pace = new Steady(500, 0);
  const begun = (from: number, to: number): number => {
    let count = 0;
    for (let now = from; now < to; now += 10) {
      pace.tell();
      while (pace.take(now)) count += 1;
    }
    return count;
  };
  assert.ok(Math.abs(begun(0, 10_000) - 5000) <= 5);
  assert.equal(begun(20_000, 20_001), 500, "after ten seconds of silence");
});

test("who registers again goes on with its CSeq", async (t) => {
  const seen: number[] = [];
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.on("message", (bytes, from) => {
    const text = bytes.toString();
    seen.push(Number(/^CSeq: (\d+)/m.exec(text)?.[1]));
    const copied = /^(Via|From|To|Call-ID|CSeq): .*\r\n/gm;
    socket.send(
      `SIP/2.0 200 OK\r\n${text.match(copied)?.join("")}Content-Length: 0\r\n\r\n`,
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const crowd = {
    ...{ target: { host: "127.0.0.1", port: socket.address().port }, domain: "example.com" },
    ...{ from: 60, to: 61, memberOf, atOnce: 2, rate: 100, steady: true },
  };
  const first = await registerCrowd(crowd);
  await registerCrowd({ ...crowd, before: () => 1 });
  assert.deepEqual(seen, [1, 1001]);
  assert.equal(first.tookMs.length, 1);
});

test("the reference load says what failed, what came later, and how long it took", () => {
  const calls = { successful: 108_300, failed: 2, created: 108_302, retransmissions: 0 };
  const text = referenceText({
    ...{ subscribers: 1_000_000, seconds: 600, rates: { reRegistrations: 555.6, calls: 181 } },
    crowd: {
      registered: 333_330,
      failed: 3,
      problem: "no answer",
      seconds: 600,
      retransmissions: 1,
      refusals: 4,
    },
    calls,
    times: { REGISTER: { p50: 20, p99: 90 }, "INVITE-180": { p50: 12, p99: 60 } },
    ...{ cores: { "sprout+bono": 0.8 }, residentMb: { "sprout+bono": 3000 } },
    ...{ unexpected: { "503 Service Unavailable": 2 }, limits: ['{"msg":"overload is over"}'] },
  });
  assert.match(text, /overload is over/);
  assert.match(text, /556 and 181 a second/);
  assert.match(
    text,
    /333330 in 600 s, 3 failed \(no answer\), 4 told to come later, 1 repeated; p50 20 ms, p99 90 ms/,
  );
  assert.match(text, /108300, 2 failed, 2 by 503 Service Unavailable, /);
  assert.equal(failedIn({ crowd: { failed: 3 }, calls: { failed: 2 } } as never), 5);
});

test("members of the largest crowd have addresses and names of their own", () => {
  const numbers = [0, 249, 250, 62_499, 62_500, 999_999, LARGEST_CROWD - 1];
  const members = numbers.map(memberOf);
  assert.equal(new Set(members.map(({ address }) => address)).size, numbers.length);
  assert.equal(new Set(members.map(({ name }) => name)).size, numbers.length);
  assert.deepEqual(
    members.map(({ address }) => address),
    [
      ...["127.160.0.1", "127.160.0.250", "127.160.1.1", "127.160.249.250", "127.161.0.1", "127.175.249.250"],
      "127.191.249.250",
    ],
  );
});

test("bytes of a subscriber are the slope between two sizes, the growth of the cost the ratio of medians", () => {
  const at = (registered: number, mb: number, micros: readonly number[]) => ({
    registered,
    footprint: {
      resident: { bono: mb * 1e6 },
      live: { bono: mb * 0.5e6 },
      files: { "registrations.db": mb * 1e5 },
      memcached: { items: registered, bytes: mb * 2e5, resident: mb * 3e5 },
    },
    registrationMicros: micros.map((one) => ({ bono: one })),
    failed: 0,
    otherCores: 0.1,
  });
  const text = memoryText({
    plan: {
      least: 10_000,
      most: 110_000,
      regRate: 400,
      seconds: 10,
      warmupSeconds: 0,
      fillRate: 1000,
      stores: true,
      referenceSeconds: 0,
    },
    sizes: [at(10_000, 100, [1000, 900, 2000]), { ...at(110_000, 300, [1100, 1050, 1500]), failed: 7 }],
    filled: [],
    cassandra: { "tidewater.registration": 55_000_000, "system.local": 10 },
  });
  assert.match(text, /bono: 2000 resident, 1000 live/);
  assert.match(text, /memcached, two copies: 600 resident, 400 in items/);
  assert.match(text, /together: 2600 resident, 1400 live/);
  assert.match(text, /registrations\.db: 200/);
  assert.match(text, /Cassandra tidewater\.registration: 500 /);
  assert.doesNotMatch(text, /system\.local/);
  assert.match(text, /failed: 0 and 7 registrations/);
  assert.match(text, /1000 us with 10000 registered, 1100 us with 110000: 1\.10 /);
});

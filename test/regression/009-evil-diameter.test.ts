import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

/** Numbers that look random and are the same in every run. */
function lcg(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NASTY = ["\r\nX-Injected: yes\r\n", "\0", "__proto__", "%s%n", "<!DOCTYPE x>", "\xff\xfe"];

/** Changes a Diameter message in place: octets of its AVPs, sometimes of its header; the length mostly stays true. */
function spoil(message: Buffer, random: (below: number) => number): Buffer {
  const spoiled = Buffer.from(message);
  const kind = random(6);
  if (kind === 0) return spoiled;
  if (kind === 1)
    for (let count = 0; count < 3; count++) spoiled[20 + random(spoiled.length - 20)] = random(256);
  if (kind === 2) spoiled[20 + random(spoiled.length - 20)] = 0xff;
  if (kind === 3) {
    const text = Buffer.from(NASTY[random(NASTY.length)] ?? "", "latin1");
    const at = 20 + random(Math.max(1, spoiled.length - 20 - text.length));
    text.copy(spoiled, at);
  }
  if (kind === 4) spoiled.fill(random(256), 20 + random(spoiled.length - 20));
  if (kind === 5) spoiled[4] = (spoiled[4] ?? 0) ^ (1 << random(8));
  return spoiled;
}

/** A realm that would end a header field and begin another, of the same length. */
function inject(answer: Buffer): void {
  const realm = Buffer.from("example.com");
  for (let at = answer.indexOf(realm, 200); at >= 0; at = answer.indexOf(realm, at + 1))
    answer.write("exa\r\nX-I: y", at, "latin1");
}

/** Takes whole messages off a stream and gives each to `handle`. */
function cut(socket: Socket, handle: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readUIntBE(1, 3)) {
      const length = Math.max(20, rest.readUIntBE(1, 3));
      handle(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
}

test("RFC 6733: spoiled answers and requests between sprout and homestead end no process and no later registration", async (t) => {
  const random = lcg(20_261_121);
  let spoiling = false;
  let injecting = false;
  let spoiled = 0;
  let homestead = "";
  const between = createServer((near) => {
    const far = connect(3868, homestead);
    const pass = (from: Socket, to: Socket): void =>
      cut(from, (message) => {
        const code = message.readUIntBE(5, 3);
        const cx = code >= 300 && code <= 305;
        if (cx && spoiling) spoiled++;
        if (code === 303 && injecting && (message[4] ?? 0) < 0x80) inject(message);
        to.write(cx && spoiling ? spoil(message, random) : message);
      });
    pass(near, far);
    pass(far, near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  t.after(() => between.close());
  const address = between.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const host = `127.${40 + (process.pid % 80)}.77.1`;
  homestead = host;
  const core = await startCore(t, {
    host,
    args: ["--set", `sprout.hss-peer=127.0.0.1:${port}`, "--set", "sprout.hss-timeout-ms=60"],
  });
  const ue = await SipUe.open(t, core, { user: "6505550000" });
  assert.equal((await ue.register()).status, 200);
  injecting = true;
  assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
  const stranger = await SipUe.open(t, core, { user: "6505550001" });
  const injected = await stranger.register({ rounds: 0 });
  assert.equal(injected.toString().includes("X-I"), false);
  assert.equal(injected.status, 500);
  injecting = false;
  spoiling = true;
  for (let round = 0; round < 150; round++) {
    const answer = await ue.register({ rounds: 1 });
    assert.ok(answer.status >= 200 && answer.status < 700);
    assert.equal(answer.toString().includes("\r\nX-Injected"), false);
    if (answer.status !== 200) continue;
    const message = ue.request("MESSAGE", "sip:6505550001@example.com", { callId: `evil${round}` });
    for (const route of ue.serviceRoute) message.append("Route", route);
    ue.send(message);
    assert.ok((await ue.expect((one) => one.callId === `evil${round}`, "an answer")).status >= 400);
    await ue.register({ contact: "*", expires: 0, rounds: 1 });
  }
  assert.ok(spoiled > 300, String(spoiled));
  spoiling = false;
  for (const { pid } of core.nodes) assert.equal(process.kill(pid, 0), true);
  assert.doesNotMatch(core.output(), /starting it again|procedure failed|"level":"(?:error|fatal)"/);
  await ue.register({ contact: "*", expires: 0 });
  assert.equal((await ue.register()).status, 200);
});

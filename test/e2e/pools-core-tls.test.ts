import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools([
    ...["--pools", "bono=2,sprout=2", "--stores", "memcached,cassandra", "--core-tls"],
    ...["--set", "sprout.local-lookup=false", "--no-restart"],
  ]);
});
after(() => pools.stop());

async function pair(t: TestContext): Promise<[SipUe, SipUe]> {
  const alice = await SipUe.open(t, pools.bono(1), { user: "6505550000", transport: "tcp" });
  const bob = await SipUe.open(t, pools.bono(2), { user: "6505550001", transport: "tcp" });
  for (const ue of [alice, bob]) {
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
  }
  return [alice, bob];
}

async function call(from: SipUe, to: SipUe): Promise<void> {
  const established = await establish(from, to, to.impu);
  to.send(established.inDialog("callee", "BYE"));
  reply(from, await from.incoming("BYE"), 200);
  assert.equal((await to.final("BYE")).status, 200);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What comes back for a text, until the far end closes or says something. */
function answerTo(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let got = "";
    socket.on("connect", () => socket.write(text));
    socket.on("data", (data) => {
      got += data.toString("latin1");
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => (got ||= error.code ?? "error"));
    socket.on("close", () => resolve(got));
  });
}

/** DNS names in the certificate that a server shows to whom it knows. */
function shown(host: string, port: number, name: string): Promise<string | undefined> {
  const pem = (...path: string[]): string => readFileSync(join(pools.stateDir, "tls", ...path), "utf8");
  return new Promise((resolve, reject) => {
    const own = { ca: pem("ca.pem"), cert: pem(name, "own.pem"), key: pem(name, "own.key") };
    const socket = connectTls({ host, port, ...own }, () => {
      resolve(socket.getPeerX509Certificate()?.subjectAltName);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("TS 33.210 §5: registered, called and ended with SIP, Cx, memcached and Cassandra over TLS between all of them", async (t) => {
  const [alice, bob] = await pair(t);
  assert.deepEqual(alice.serviceRoute, ["<sip:scscf.sprout.example.com;transport=tls;lr;orig>"]);
  const there = await establish(alice, bob, bob.impu);
  const inside = there.received
    .values("Record-Route")
    .filter((value) => value.includes("sprout.example.com"));
  assert.deepEqual([...new Set(inside.map((value) => /transport=\w+/.exec(value)?.[0]))], ["transport=tls"]);
  bob.send(there.inDialog("callee", "BYE"));
  reply(alice, await alice.incoming("BYE"), 200);
  assert.equal((await bob.final("BYE")).status, 200);
  await call(bob, alice);

  const { network } = pools;
  for (const [host, port, member] of [
    [`${network}.1.1`, 5058, "bono-1"],
    [`${network}.2.1`, 5052, "sprout-1"],
    [`${network}.2.2`, 5054, "sprout-2"],
    [`${network}.3.1`, 3869, "homestead-1"],
    [`${network}.4.1`, 11_211, "memcached-1"],
    [`${network}.5.1`, 9042, "cassandra-1"],
  ] as const)
    assert.equal(await shown(host, port, "bono-1"), `IP Address:${host}, DNS:${member}`);
});

test("nothing is said in the clear: neither SIP nor Cx nor a store answers", async () => {
  const { network } = pools;
  const options = "OPTIONS sip:sprout.example.com SIP/2.0\r\nContent-Length: 0\r\n\r\n";
  for (const [host, port] of [
    [`${network}.1.1`, 5058],
    [`${network}.2.1`, 5052],
    [`${network}.2.1`, 5054],
  ] as const)
    assert.doesNotMatch(await answerTo(host, port, options), /SIP/);
  assert.equal(await answerTo(`${network}.3.1`, 3868, "x"), "ECONNREFUSED");
  assert.doesNotMatch(await answerTo(`${network}.4.1`, 11_211, "version\r\n"), /VERSION/);
  const told = (): boolean => /"reason":"it speaks in the clear/.test(pools.output());
  for (let tries = 0; tries < 100 && !told(); tries++) await pause(50);
  assert.ok(told(), "the log says who and why");
});

test("a sprout that is killed is replaced by the other one, over TLS too", async (t) => {
  const [alice, bob] = await pair(t);
  const sprout = (await pools.status()).find(({ name }) => name === "sprout-1");
  assert.ok(sprout);
  process.kill(sprout.pid, "SIGKILL");
  for (let one = 0; one < 4; one++) await call(alice, bob);
  assert.equal((await bob.register()).status, 200);
});

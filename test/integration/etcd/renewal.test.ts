import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import {
  CertificateFollower,
  EnrolmentServer,
  EtcdClient,
  EtcdError,
  enrol,
  enrolHere,
  localLedger,
  newJoinToken,
  openAuthority,
  parseEndpoints,
  renew,
} from "@ims/etcd-cluster";
import { type Clock, systemClock } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { folder, pause } from "./support.ts";

const HOUR = 3_600_000;
const token = newJoinToken();

async function site(t: TestContext, clock: Clock = systemClock()) {
  const dir = folder(t);
  const authority = await openAuthority(join(dir, "authority"));
  const log = memoryLogger();
  const ledger = localLedger(token, { uses: 9, expires: clock.now() + HOUR });
  const server = new EnrolmentServer({ clock, log, authority, ledger, host: "127.0.0.1", port: 0 });
  await server.start();
  t.after(() => server.stop());
  const url = `http://127.0.0.1:${server.port}`;
  const machine = async (name: string): Promise<string> => {
    const at = join(dir, name);
    await enrol({ servers: [url], token, name, address: "127.0.0.7", folder: at });
    return at;
  };
  return { dir, authority, url, log, machine };
}

/** The certificate of a machine as if it had been made for a day only. */
function forADay(machine: string, authority: string): void {
  const extensions = join(machine, "extensions");
  writeFileSync(extensions, "subjectAltName=IP:127.0.0.7,IP:127.0.0.1,DNS:localhost,DNS:vellum-1\n");
  const by = ["-CA", join(authority, "ca.pem"), "-CAkey", join(authority, "ca.key"), "-set_serial", "7"];
  const how = ["-days", "1", "-subj", "/CN=vellum-1", "-extfile", extensions];
  const files = ["-in", join(machine, "own.csr"), "-out", join(machine, "own.pem")];
  execFileSync("openssl", ["x509", "-req", ...files, ...by, ...how], { stdio: "pipe" });
}

const certificateOf = (machine: string): X509Certificate =>
  new X509Certificate(readFileSync(join(machine, "own.pem")));

async function refused(asked: Promise<unknown>, problem: RegExp): Promise<void> {
  await assert.rejects(asked, (error) => error instanceof EtcdError && problem.test(error.message));
}

test("a certificate whose time is two thirds over is renewed for the same key by who has one, without a token", async (t) => {
  const { dir, url, log, machine } = await site(t);
  const one = await machine("vellum-1");
  const key = readFileSync(join(one, "own.key"), "utf8");
  const nobody = ["http://127.0.0.1:3"];
  assert.equal(await renew({ servers: nobody, folder: one, now: Date.now() }), "good", "nobody is asked");

  forADay(one, join(dir, "authority"));
  assert.equal(await renew({ servers: nobody, folder: one, now: Date.now() + 15 * HOUR }), "good");
  const due = Date.now() + 17 * HOUR;
  await refused(renew({ servers: nobody, folder: one, now: due }), /ECONNREFUSED/);
  assert.equal(certificateOf(one).serialNumber, "07", "the old one stays");
  assert.equal(await renew({ servers: [...nobody, url], folder: one, now: due }), "renewed");
  const renewed = certificateOf(one);
  assert.ok(renewed.validToDate.getTime() > Date.now() + 800 * 24 * HOUR);
  assert.match(renewed.subjectAltName ?? "", /^IP Address:127\.0\.0\.7, .*DNS:vellum-1$/);
  assert.equal(renewed.subject, "CN=vellum-1");
  assert.equal(renewed.ca, false);
  assert.equal(readFileSync(join(one, "own.key"), "utf8"), key);
  assert.equal(await renew({ servers: [url], folder: one, now: due }), "good");
  assert.ok(!JSON.stringify(log.lines).includes("PRIVATE KEY"));
});

test("nobody is renewed whose certificate is another's, of another authority, or over; a false answer changes nothing", async (t) => {
  const clock = fakeClock(Date.now() + HOUR);
  const { dir, authority, url, machine } = await site(t, clock);
  const due = Date.now() + 17 * HOUR;
  const one = await machine("vellum-1");
  const two = await machine("vellum-2");
  forADay(one, join(dir, "authority"));
  const ownOne = readFileSync(join(one, "own.pem"));
  const keep = readFileSync(join(two, "own.pem"));
  writeFileSync(join(two, "own.pem"), ownOne);
  await refused(renew({ servers: [url], folder: two, now: due }), /not proven/);
  writeFileSync(join(two, "own.pem"), keep);

  const foreign = await openAuthority(join(dir, "foreign"));
  const stranger = join(dir, "stranger");
  await enrolHere(foreign, { name: "vellum-1", address: "127.0.0.7", folder: stranger });
  forADay(stranger, join(dir, "foreign"));
  await refused(renew({ servers: [url], folder: stranger, now: due }), /not proven/);

  // Who answers with a certificate of his own making, or with the one that runs out.
  for (const certificate of [
    await foreign.sign(readFileSync(join(one, "own.csr"), "utf8"), "vellum-1", "127.0.0.7"),
    await authority.sign(readFileSync(join(two, "own.csr"), "utf8"), "vellum-1", "127.0.0.7"),
    ownOne.toString(),
    "",
  ]) {
    const server = new EnrolmentServer({
      ...{ clock, log: memoryLogger(), host: "127.0.0.1", port: 0 },
      ledger: localLedger(token, { uses: 1, expires: 0 }),
      authority: { certificate: authority.certificate, sign: () => Promise.resolve(certificate) },
    });
    await server.start();
    t.after(() => server.stop());
    const lies = [`http://127.0.0.1:${server.port}`];
    await refused(renew({ servers: lies, folder: one, now: due }), /no later certificate/);
    assert.deepEqual(readFileSync(join(one, "own.pem")), ownOne);
  }
  for (const body of ["{", JSON.stringify({ version: 1, __proto__: 1 }), "x".repeat(100_000)]) {
    const answer = await fetch(`${url}/renew`, { method: "POST", body }).catch(() => undefined);
    assert.ok(answer === undefined || answer.status === 400);
  }
  const words = { certificate: ownOne.toString(), request: "none", signature: "?" };
  const body = JSON.stringify({ version: 1, ...words });
  assert.equal((await fetch(`${url}/renew`, { method: "POST", body })).status, 403);

  clock.advance(25 * HOUR);
  await refused(renew({ servers: [url], folder: one, now: due }), /not proven .* still good/);
  assert.deepEqual(readFileSync(join(one, "own.pem")), ownOne);
});

test("a process that runs works with the renewed certificate, and says when none comes", async (t) => {
  const { dir, authority, machine } = await site(t);
  const one = await machine("vellum-1");
  forADay(one, join(dir, "authority"));
  const text = (name: string): string => readFileSync(join(one, name), "utf8");
  const tls = { ca: text("ca.pem"), cert: text("own.pem"), key: text("own.key") };
  const seen: string[] = [];
  // Answers as etcd does for an empty range.
  const etcd = https.createServer({ ...tls, requestCert: true }, (request, response) => {
    seen.push((request.socket as TLSSocket).getPeerCertificate().serialNumber);
    response.end('{"header":{"revision":"1"}}');
  });
  await new Promise<void>((resolve) => etcd.listen(0, "127.0.0.1", resolve));
  t.after(() => etcd.close());
  const endpoints = parseEndpoints(`https://127.0.0.1:${(etcd.address() as AddressInfo).port}`);
  const client = new EtcdClient({ endpoints, clock: systemClock(), tls });
  t.after(() => client.close());
  const clock = fakeClock(Date.now() + 17 * HOUR);
  const log = memoryLogger();
  const names = { ca: "ca.pem", certificate: "own.pem", key: "own.key" };
  const files = Object.fromEntries(
    Object.entries(names).map(([which, name]) => [which, join(one, name)]),
  ) as typeof names;
  const follower = new CertificateFollower({ client, clock, log, files });
  await follower.start();
  const looked = async (): Promise<void> => {
    clock.advance(HOUR);
    await pause(50);
  };
  assert.equal((await client.range({ key: "k" })).kind, "found");
  await looked();
  await looked();
  const errors = log.lines.filter(({ level }) => level === "error" || level === 50);
  assert.equal(errors.length, 1, JSON.stringify(log.lines));

  const renewed = await authority.sign(text("own.csr"), "vellum-1", "127.0.0.7");
  writeFileSync(join(one, "own.pem"), renewed);
  await looked();
  assert.equal((await client.range({ key: "k" })).kind, "found");
  assert.deepEqual(seen, ["07", new X509Certificate(renewed).serialNumber]);
  writeFileSync(join(one, "own.pem"), "");
  await looked();
  assert.equal((await client.range({ key: "k" })).kind, "found", "the last one stays");
  await follower.stop();
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock, memoryLogger, type TestCertificate, testAuthority } from "@ims/runtime/testing";
import { alarmList, CoreTls, CredentialError, coreTlsOptions, openCoreTls } from "../../src/index.ts";
import { readCredentials } from "../../src/tls/credentials.ts";

const HOUR = 3_600_000;

const filesOf = ({ coreTlsCertificate, coreTlsKey, coreTlsCa }: TestCertificate) => ({
  certificate: coreTlsCertificate,
  key: coreTlsKey,
  ca: coreTlsCa,
});

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof CredentialError, String(error));
    return error.message;
  }
  return "none";
}

test("each file that will not do is named with the reason, and nothing of a key is quoted", (t) => {
  const authority = testAuthority(t);
  const good = filesOf(authority.issue({ names: "IP:127.0.0.1" }));
  const other = filesOf(testAuthority(t).issue({ names: "IP:127.0.0.1" }));
  const file = (name: string, text: string): string => {
    const path = join(authority.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const nothing = join(authority.folder, "nothing");
  const [empty, text] = [
    file("empty", ""),
    file("text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
  ];
  const broken = file("broken", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n");
  const locked = join(authority.folder, "locked");
  execFileSync("openssl", ["pkey", "-in", good.key, "-aes128", "-passout", "pass:x", "-out", locked]);
  const { certificate, key, ca } = good;
  assert.deepEqual(
    [
      { ...good, certificate: nothing },
      { ...good, certificate: key },
      { ...good, certificate: text },
      { ...good, key: empty },
      { ...good, key: broken },
      { ...good, key: locked },
      { ...good, key: other.key },
      { ...good, ca: empty },
      { ...good, ca: other.ca },
      { ...good, ca: file("long", "x".repeat(1_000_001)) },
    ].map((files) => refusal(() => readCredentials(files))),
    [
      `${nothing} cannot be read: ENOENT`,
      `${key} holds no PEM certificate`,
      `${text} certificate 1 of it cannot be decoded`,
      `${empty} holds no PEM private key`,
      `${broken} holds a private key that cannot be decoded`,
      `${locked} is protected by a passphrase, which nobody could give`,
      `${other.key} is not the key of ${certificate}`,
      `${empty} holds no PEM certificate`,
      `${certificate} is not issued by an authority of ${other.ca}`,
      `${join(authority.folder, "long")} is too long`,
    ],
  );
  const both = file("both", readFileSync(ca, "utf8") + readFileSync(other.ca, "utf8"));
  for (const files of [good, other])
    assert.equal(readCredentials({ ...files, ca: both }).cert, readFileSync(files.certificate, "latin1"));
});

test("options that ask for TLS without its files say what is missing, and nothing is opened when nobody asks", () => {
  const none = { coreTlsCertificate: "", coreTlsKey: "", coreTlsCa: "" };
  const modules = { clock: fakeClock(0), log: memoryLogger() };
  assert.equal(openCoreTls(none, { "cassandra-tls": false }, modules), undefined);
  assert.equal(
    refusal(() => openCoreTls({ ...none, coreTlsKey: "k" }, { "cassandra-tls": true }, modules)),
    "--cassandra-tls needs --core-tls-certificate, --core-tls-ca",
  );
  assert.equal(
    refusal(() => openCoreTls({ ...none, coreTls: "use" }, { "memcached-tls": true }, modules)),
    "--core-tls use and --memcached-tls needs --core-tls-certificate, --core-tls-key, --core-tls-ca",
  );
  const peers = coreTlsOptions.coreTlsPlainPeers;
  for (const good of ["10.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::1"])
    assert.ok(peers.safeParse([good]).success);
  for (const bad of ["as.example.com", "10.0.0.0/33", "10.0.0/8", "__proto__", ""])
    assert.ok(!peers.safeParse([bad]).success, bad);
});

async function open(t: TestContext, files: TestCertificate) {
  const clock = fakeClock(Date.now());
  const log = memoryLogger();
  const alarms = alarmList({ now: () => clock.now() });
  const tls = new CoreTls(
    { coreTls: "require", coreTlsNames: [], coreTlsPlainPeers: [], ...files },
    { clock, log, alarms },
  );
  t.after(() => tls.stop());
  /** One look at the files. */
  const look = async (): Promise<void> => {
    clock.advance(2_000);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    alarms.look();
  };
  return { tls, clock, log, alarms, look };
}

test("renewed files are taken up whole; half of a change is waited for, a wrong one is an alarm and changes nothing", async (t) => {
  const authority = testAuthority(t);
  const files = authority.issue({ names: "IP:127.0.0.1", days: 90 });
  const { tls, log, alarms, look } = await open(t, files);
  const changes: string[] = [];
  tls.onChange(({ cert }) => changes.push(cert));
  const { context } = tls;
  await look();
  assert.deepEqual([changes, tls.context === context], [[], true]);

  // The certificate is there, its key comes a moment later.
  const next = authority.issue({ names: "IP:127.0.0.2", days: 90 });
  writeFileSync(files.coreTlsCertificate, next.cert);
  await look();
  writeFileSync(files.coreTlsKey, next.key);
  await look();
  assert.deepEqual(changes, [next.cert]);
  assert.notEqual(tls.context, context);
  assert.equal(log.lines.filter(({ level }) => level === 50 || level === "error").length, 0);

  rmSync(files.coreTlsKey);
  await look();
  await look();
  await look();
  const wrong = `${files.coreTlsKey} cannot be read: ENOENT`;
  assert.deepEqual(
    log.lines.filter(({ problemId }) => problemId === "TW-1005").map(({ problem }) => problem),
    [wrong],
  );
  assert.deepEqual(
    alarms.active().map(({ additionalText }) => additionalText),
    [wrong],
  );
  assert.equal(tls.credentials.cert, next.cert, "the last good one");
  writeFileSync(files.coreTlsKey, next.key);
  await look();
  assert.deepEqual(alarms.active(), []);
  assert.ok(!JSON.stringify(log.lines).includes("PRIVATE KEY"));
});

test("a certificate that runs out is an alarm, until a later one is there", async (t) => {
  const authority = testAuthority(t);
  const files = authority.issue({ names: "IP:127.0.0.1" });
  const { clock, alarms, look } = await open(t, files);
  await look();
  assert.deepEqual(
    alarms.active().map(({ objectInstance, perceivedSeverity }) => [objectInstance, perceivedSeverity]),
    [[files.coreTlsCertificate, "MAJOR"]],
  );
  clock.advance(72 * HOUR);
  await look();
  assert.equal(alarms.active()[0]?.perceivedSeverity, "CRITICAL");
  authority.renew(files, { names: "IP:127.0.0.1", days: 90 });
  await look();
  assert.deepEqual(alarms.active(), []);
});

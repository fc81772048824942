import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { admin, etcdClientOf } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import {
  etcdOptions,
  obtainCertificates,
  renewCertificates,
  tlsFilesIn,
  tlsFilesOf,
} from "../../images/member/certificates.ts";
import { clusterConfig } from "../../images/member/cluster.ts";
import { type Places, placesBelow } from "../../images/member/files.ts";
import { type Member, memberSchema } from "../../images/member/member-file.ts";
import { probeEtcd } from "../../images/member/seeds.ts";
import { startMember } from "../../images/member/start.ts";
import { etcdMissing } from "../support/etcd.ts";

const skip = etcdMissing() ?? false;
const MAIN = join(import.meta.dirname, "../../etcd-cluster/bin/etcd-cluster.ts");
const SEEDS = ["127.0.0.91", "127.0.0.92", "127.0.0.93"];
const TOKEN = "join-token-of-this-test-0123456789";

interface Machine {
  readonly member: Member;
  readonly places: Places;
  readonly said: string[];
  readonly owners: Map<string, string>;
  /** The processes of its units. */
  readonly children: Map<string, ChildProcess>;
  start(): Promise<void>;
  kill(unit: string): Promise<void>;
}

function machine(t: TestContext, role: string, index: number, address: string, volume = "on"): Machine {
  const root = mkdtempSync(join(tmpdir(), "member-"));
  // Another file system, as a data volume is.
  const data = mkdtempSync("/dev/shm/member-");
  const places = placesBelow(root);
  for (const folder of ["etc/tidewater", "run/tidewater", "var/lib"])
    mkdirSync(join(root, folder), { recursive: true });
  symlinkSync(data, places.data);
  if (volume === "on") writeFileSync(places.dataVolume, "5f3a9c62-0d0e-4b7e-9a43-6d0a6a2f4c41");
  writeFileSync(places.joinToken, `${TOKEN}\n`);
  const member = memberSchema.parse({
    ...{ role, pool: role, index, cell: 0, name: `${role}-${index}`, domain: "example.com", address },
    ...{ seeds: SEEDS, etcdTls: "on", waitSeconds: 30, cassandra: "off" },
  });
  const said: string[] = [];
  const owners = new Map<string, string>();
  const children = new Map<string, ChildProcess>();
  const kill = async (unit: string): Promise<void> => {
    const child = children.get(unit);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  };
  const COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
    ["tidewater-etcd.service", ["etcd", "--config-file", `${places.run}/etcd.yaml`]],
    [
      "tidewater-cluster.service",
      [process.execPath, MAIN, "--config", `${places.run}/cluster_config`, "--quiesce-seconds", "0"],
    ],
  ]);
  const startUnit = (unit: string): Promise<void> => {
    const [program = "", ...args] = COMMANDS.get(unit) ?? [];
    if (program === "") return Promise.resolve();
    if (program === "etcd") onOwnAddressOnly(`${places.run}/etcd.yaml`);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => void said.push(`${unit}: ${text}`));
    children.set(unit, child);
    return Promise.resolve();
  };
  t.after(async () => {
    for (const unit of children.keys()) await kill(unit);
    for (const folder of [root, data]) rmSync(folder, { recursive: true, force: true });
  });
  return {
    ...{ member, places, said, owners, children, kill },
    start: () =>
      startMember(member, {
        places,
        startUnit,
        say: (line) => void said.push(line),
        own: (path, user) => void owners.set(path, user),
      }),
  };
}

/** Here the machines have one 127.0.0.1 between them. */
function onOwnAddressOnly(path: string): void {
  const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  config["listen-client-urls"] = config["advertise-client-urls"];
  writeFileSync(path, JSON.stringify(config));
}

/** Its certificate as if it had been made for a day. */
function forADay({ places }: Machine, authority: string): void {
  const { tls } = places;
  const extensions = join(tls, "extensions");
  writeFileSync(extensions, "subjectAltName=IP:127.0.0.94\n");
  const by = ["-CA", join(authority, "ca.pem"), "-CAkey", join(authority, "ca.key"), "-set_serial", "7"];
  const how = ["-days", "1", "-subj", "/CN=homestead-0", "-extfile", extensions];
  const own = ["-in", join(tls, "own.csr"), "-out", join(tls, "own.pem")];
  execFileSync("openssl", ["x509", "-req", ...own, ...by, ...how], { stdio: "pipe" });
}

/** Lets one machine in that runs nothing here. */
function letIn({ member, places, said }: Machine, waitMs: number): Promise<unknown> {
  const waiting = {
    say: (line: string) => void said.push(line),
    deadline: performance.now() + waitMs,
    everyMs: 100,
  };
  return obtainCertificates(member, { places, own: () => undefined }, waiting);
}

test("etcd over TLS: the first vellum is the authority, all others are let in by the join token, one that comes late and one that lost its disk too", {
  skip,
}, async (t) => {
  const [one, two, three] = SEEDS.map((address, index) => machine(t, "vellum", index, address)) as [
    Machine,
    Machine,
    Machine,
  ];
  const all = [one, two, three];
  const told = (error: unknown): never =>
    assert.fail(
      `${error}\n${all
        .flatMap(({ said }) => said)
        .join("\n")
        .slice(-6000)}`,
    );
  await Promise.all([two.start(), one.start()]).catch(told);
  const first = `https://${SEEDS[0]}:2379`;
  const { ca, certificate, key } = tlsFilesIn(two.places.tls);
  const text = (path: string): string => readFileSync(path, "utf8");
  assert.equal(await probeEtcd(first, { ca: text(ca), cert: text(certificate), key: text(key) }), undefined);
  assert.notEqual(
    await probeEtcd(first, { ca: text(ca) }),
    undefined,
    "who has no certificate is not let in",
  );
  assert.notEqual(await probeEtcd(first.replace("https", "http"), undefined), undefined);

  // Those who began have room for it; it has never run.
  const client = etcdClientOf(
    etcdOptions(two.member, SEEDS.slice(0, 2), tlsFilesIn(two.places.tls)),
    systemClock(),
  );
  t.after(() => client.close());
  const members = async () => {
    const found = await client.members();
    assert.ok(found.kind === "members");
    return found.members.map(({ id, clientUrls }) => ({ id, started: clientUrls.length > 0 }));
  };
  const began = await members();
  assert.deepEqual(began.filter(({ started }) => started).length, 2);
  await three.start().catch(told);
  const running = async () => {
    for (let tries = 0; tries < 200; tries++) {
      const found = await members();
      if (found.length === 3 && found.every(({ started }) => started))
        return found.map(({ id }) => id).sort();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return told(new Error("etcd of the third vellum does not start"));
  };
  const complete = await running();
  assert.deepEqual(complete, began.map(({ id }) => id).sort(), "nobody was taken out");

  await three.kill("tidewater-etcd.service");
  await three.kill("tidewater-cluster.service");
  rmSync(three.places.etcdData, { recursive: true });
  await three.start().catch(told);
  const again = await running();
  assert.equal(again.filter((id) => complete.includes(id)).length, 2, "a new member in place of one");

  // etcd-cluster on the first vellum goes on where the member program has ended.
  const homestead = machine(t, "homestead", 0, "127.0.0.94", "off");
  await letIn(homestead, 20_000).catch(told);
  const files = tlsFilesOf("cluster", homestead.places);
  assert.equal(statSync(files.key).mode & 0o777, 0o400);
  const lines = clusterConfig(homestead.member, homestead.places, "").split("\n");
  assert.ok(lines.includes(`etcd=${SEEDS.map((seed) => `https://${seed}:2379`).join(",")}`), lines.join(" "));
  assert.ok(lines.includes(`etcd_key=${files.key}`));
  assert.equal(one.owners.get(tlsFilesOf("etcd", one.places).key), "tidewater-etcd");
  assert.equal(one.owners.get(join(one.places.authority, "ca.key")), "tidewater-cluster");
  await homestead.kill("");
  await letIn(homestead, 0); // its next start asks nobody

  // Its certificate is renewed without a token, once its time is two thirds over.
  writeFileSync(homestead.places.joinToken, "");
  const { validToDate } = new X509Certificate(text(files.certificate));
  const modules = { places: homestead.places, own: () => undefined };
  const renewal = (now: number) => renewCertificates(homestead.member, modules, now);
  assert.equal(await renewal(Date.now()), "good");
  forADay(homestead, one.places.authority);
  assert.equal(await renewal(Date.now() + 20 * 3_600_000).catch(told), "renewed");
  const renewed = text(files.certificate);
  assert.ok(new X509Certificate(renewed).validToDate.getTime() >= validToDate.getTime());
  assert.equal(renewed, text(tlsFilesIn(homestead.places.tls).certificate));
  const inside = { ca: text(files.ca), cert: renewed, key: text(files.key) };
  assert.equal(await probeEtcd(first, inside), undefined);
  assert.equal(await renewCertificates({ ...homestead.member, etcdTls: "off" }, modules, Date.now()), "none");

  const stranger = machine(t, "homestead", 1, "127.0.0.95", "off");
  writeFileSync(stranger.places.joinToken, "another-token-of-this-test-01234");
  await assert.rejects(
    letIn(stranger, 0),
    (error: Error & { remedy?: string }) =>
      /not let in to etcd: .*unknown, used up or expired/.test(error.message) &&
      /etcd-admin token/.test(error.remedy ?? ""),
  );
  const said: string[] = [];
  const tls = etcdOptions(two.member, SEEDS.slice(0, 1), tlsFilesIn(two.places.tls));
  const args = ["--etcd", tls.etcd, "--etcd-ca", tls.etcdCa, "--etcd-certificate", tls.etcdCertificate];
  const reopen = ["reopen", "--token-file", stranger.places.joinToken, "--uses", "1", "--hours", "1"];
  assert.equal(
    await admin([...reopen, ...args, "--etcd-key", tls.etcdKey], (line) => void said.push(line)),
    0,
  );
  assert.match(said.join(), /^good until/);
  await letIn(stranger, 5000);
  const everything = [...all, homestead, stranger].flatMap((each) => each.said).join("\n");
  assert.ok(!everything.includes(TOKEN) && !everything.includes("PRIVATE KEY"));
});

test("without a data volume the first vellum makes no authority, and without a join token nobody begins", async (t) => {
  const first = machine(t, "vellum", 0, "127.0.0.96", "off");
  const alone = { ...first, member: { ...first.member, seeds: ["127.0.0.96"] } };
  await assert.rejects(
    letIn(alone, 0),
    (error: Error & { remedy?: string }) =>
      /there is no data volume/.test(error.message) && /vellum_volume/.test(error.remedy ?? ""),
  );
  for (const [token, says] of [
    ["", /join token is missing/],
    ["short", /join token is too short/],
  ] as const) {
    writeFileSync(first.places.joinToken, token);
    await assert.rejects(letIn(first, 0), says);
  }
});

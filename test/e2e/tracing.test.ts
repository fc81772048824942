import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { hep3Of } from "../support/hep3.ts";
import { PROGRAM } from "../support/program.ts";
import { SipUe } from "../support/sip-ue.ts";

const missing = ["tshark", "text2pcap", "sngrep"].find(
  (name) => spawnSync(name, ["-h"], { stdio: "ignore" }).error !== undefined,
);
// Where tests must not be skipped in silence a missing program makes them fail.
const skip =
  missing === undefined || process.env["CI"] !== undefined
    ? false
    : `no ${missing} here: sh scripts/install-test-tools installs it`;

const folder = mkdtempSync(join(tmpdir(), "tidewater-tracing-"));
const collector = createSocket("udp4");
const packets: Buffer[] = [];
const hanging: Socket[] = [];
const hung = createServer((socket) => hanging.push(socket.pause()));
const bodies: string[] = [];
const otlp = createHttpServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part: string) => {
    body += part;
  });
  request.on("end", () => {
    bodies.push(body);
    response.end("{}");
  });
});
let core: CoreUnderTest;
let callId = "";

before(async () => {
  collector.on("message", (packet) => packets.push(packet));
  await new Promise<void>((resolve) => collector.bind(0, "127.0.0.1", resolve));
  hung.listen(0, "127.0.0.1");
  await once(hung, "listening");
  otlp.listen(0, "127.0.0.1");
  await once(otlp, "listening");
  const traces = `http://127.0.0.1:${(otlp.address() as AddressInfo).port}/v1/traces`;
  const hep = `udp:127.0.0.1:${collector.address().port}`;
  core = await launchCore({
    args: [
      ...["--set", `bono.hep-collector=${hep}`, "--set", "bono.hep-capture-id=1"],
      ...["--set", `sprout.hep-collector=${hep}`, "--set", "sprout.hep-capture-id=2"],
      ...["--set", `bono.otlp-endpoint=${traces}`, "--set", `sprout.otlp-endpoint=${traces}`],
      // homestead's takes nothing: that is no reason to serve nobody.
      ...["--set", `homestead.hep-collector=tcp:127.0.0.1:${(hung.address() as AddressInfo).port}`],
    ],
  });
});
after(async () => {
  await core?.stop();
  collector.close();
  for (const socket of hanging) socket.destroy();
  hung.close();
  otlp.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Fields of the packets that match, a line each; what tshark itself makes of them. */
function tshark(file: string, filter: string, fields: readonly string[], ...more: string[]): string[][] {
  const args = [
    "-n",
    "-r",
    file,
    ...more,
    "-Y",
    filter,
    "-T",
    "fields",
    ...fields.flatMap((one) => ["-e", one]),
  ];
  const { status, stdout, stderr } = spawnSync("tshark", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

test("a call, with collectors that take everything and nothing: registered, called, ended", {
  skip,
}, async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000" });
  const bob = await SipUe.open(t, core, { user: "6505550001", transport: "tcp" });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  const call = await establish(alice, bob, bob.impu);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  callId = call.received.callId;
  assert.equal(hanging.length, 1);
});

test("HEP3: the collector is told of the call by bono and sprout, with real addresses and the ICID, of Cx as JSON, of no proof of a password", {
  skip,
}, async () => {
  for (const end = Date.now() + 5_000; packets.length < 40 && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 20));
  const told = packets.map(hep3Of);
  const ofCall = told.filter(({ payload }) => payload.includes(callId));
  const invites = ofCall.filter(({ payload }) => payload.startsWith("INVITE "));
  assert.deepEqual([...new Set(invites.map(({ captureId }) => captureId))].sort(), [1, 2]);
  assert.ok(
    invites.some(({ destination }) => destination === `${core.host}:5060`),
    JSON.stringify(invites.map(({ source, destination }) => `${source} ${destination}`)),
  );
  for (const status of [180, 200])
    assert.ok(ofCall.some(({ payload }) => payload.startsWith(`SIP/2.0 ${status} `)));
  const correlated = new Set(ofCall.map(({ correlation }) => correlation));
  assert.ok(correlated.size >= 2 && correlated.has(callId), [...correlated].join());
  for (const { protocol, time } of told) {
    assert.ok(protocol === 1 || protocol === 0x38);
    assert.ok(Math.abs(time - Date.now()) < 120_000);
  }
  const cx = told
    .filter(({ protocol }) => protocol === 0x38)
    .map(({ payload }) => JSON.parse(payload) as object);
  const methods = new Set(cx.map((one) => ("method" in one ? one.method : undefined)));
  for (const method of ["UAR", "MAR", "SAR"]) assert.ok(methods.has(method), [...methods].join());

  const all = Buffer.concat(packets).toString("latin1");
  assert.ok(!/response="[0-9a-f]{32}"/.test(all), "a digest response");
  assert.match(all, /Authorization: Digest .*response="<hidden>"/);
  const metrics = await (await fetch(`http://${core.host}:9102/metrics`)).text();
  assert.ok(Number(/^ims_hep_messages_sent_total\{protocol="diameter"\} ([0-9]+)$/m.exec(metrics)?.[1]) >= 6);
});

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly node: string;
}

function spansOf(body: string): OtlpSpan[] {
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: {
      resource: { attributes: { value: { stringValue?: string } }[] };
      scopeSpans: { spans: Omit<OtlpSpan, "node">[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({ ...span, node: resource.attributes[0]?.value.stringValue ?? "" })),
    ),
  );
}

test("OpenTelemetry: the call is one trace of spans at bono and sprout, each the child of the one before it", async () => {
  const traceId = createHash("sha256").update(callId).digest("hex").slice(0, 32);
  const invites = (): OtlpSpan[] =>
    bodies.flatMap(spansOf).filter((span) => span.traceId === traceId && span.name === "SIP INVITE");
  for (const end = Date.now() + 8_000; invites().length < 6 && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 50));
  const spans = new Map(invites().map((span) => [span.spanId, span]));
  const roots = [...spans.values()].filter(({ parentSpanId = "" }) => !spans.has(parentSpanId));
  assert.deepEqual(
    roots.map(({ node, parentSpanId }) => [node, parentSpanId]),
    [["bono", undefined]],
  );
  assert.deepEqual([...new Set([...spans.values()].map(({ node }) => node))].sort(), ["bono", "sprout"]);
  assert.equal(spans.size, 6, "in and out at bono, at sprout, at bono again");
});

test("HEP3 by sngrep: what the collector was told is a call to it, too", { skip }, () => {
  const dump = packets.map((packet) => `0000 ${(packet.toString("hex").match(/../g) ?? []).join(" ")}\n`);
  const [text, hep, sip] = [join(folder, "hep.txt"), join(folder, "hep.pcap"), join(folder, "sip.pcap")];
  writeFileSync(text, dump.join("\n"));
  const made = spawnSync("text2pcap", ["-q", "-u", "9060,9060", text, hep], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  const read = spawnSync("sngrep", ["-N", "-q", "-E", "-I", hep, "-O", sip], {
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.equal(read.status, 0, read.stderr);
  const calls = tshark(sip, "sip", ["sip.Call-ID", "sip.Method"]);
  assert.ok(
    calls.some(([id, method]) => id === callId && method === "INVITE"),
    JSON.stringify(calls),
  );
});

test("pcapng by tshark: one call and one subscriber, each message once between its real addresses at its time, Diameter decoded", {
  skip,
}, async () => {
  const file = join(folder, "call.pcapng");
  const { exitCode, stdout, stderr } = await core.tidewater([
    "trail",
    callId,
    "--host",
    core.host,
    "--pcapng",
    file,
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /call\.pcapng: 1 registrations and calls, [0-9]+ messages/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const fields = [
    "frame.interface_name",
    "ip.src",
    "udp.srcport",
    "ip.dst",
    "udp.dstport",
    "sip.Method",
    "sip.Status-Code",
    "frame.time_epoch",
  ];
  const rows = tshark(file, "sip", fields);
  assert.deepEqual(
    tshark(
      file,
      "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0",
      ["frame.number"],
      "-o",
      "ip.check_checksum:TRUE",
      "-o",
      "udp.check_checksum:TRUE",
    ),
    [],
  );
  const invites = rows.filter(([, , , , , method]) => method === "INVITE");
  assert.deepEqual([invites[0]?.[0], invites[0]?.[4]], ["bono", "5060"], JSON.stringify(rows));
  const ways = new Set(
    invites.map(([, from, fromPort, to, toPort]) => `${from}:${fromPort} ${to}:${toPort}`),
  );
  assert.equal(ways.size, 4, "caller, bono, sprout, bono, callee");
  for (const [, source, , destination, , , , time] of rows) {
    assert.match(`${source} ${destination}`, /^127\.[0-9.]+ 127\.[0-9.]+$/);
    assert.ok(Math.abs(Number(time) * 1000 - Date.now()) < 120_000, time);
  }
  assert.ok(tshark(file, "frame.comment", ["frame.comment"]).length > 0, "decisions are comments");

  const subscriber = join(folder, "subscriber.pcapng");
  const both = await core.tidewater([
    "trail",
    "6505550000",
    "--host",
    core.host,
    "--last",
    "9",
    "--pcapng",
    subscriber,
  ]);
  assert.equal(both.exitCode, 0, both.stderr);
  const commands = tshark(subscriber, "diameter", [
    "diameter.cmd.code",
    "diameter.flags.request",
    "diameter.User-Name",
  ]);
  for (const code of ["300", "301", "303"])
    for (const request of ["1", "0"])
      assert.ok(
        commands.some(
          ([one, flag]) =>
            one === code && (flag === request || flag === (request === "1" ? "True" : "False")),
        ),
        `${code} ${request} in ${JSON.stringify(commands)}`,
      );
  assert.ok(tshark(subscriber, 'sip.Method == "REGISTER"', ["frame.number"]).length >= 4);
  const text = readFileSync(subscriber, "latin1");
  assert.ok(!/response="[0-9a-f]{32}"/.test(text));

  const again = await core.tidewater(["trail", callId, "--host", core.host, "--pcapng", file]);
  assert.deepEqual([again.exitCode, /call\.pcapng: .*exist/.test(again.stderr)], [1, true], again.stderr);
  const none = await core.tidewater([
    "trail",
    "nobody@example.com",
    "--host",
    core.host,
    "--pcapng",
    join(folder, "none"),
  ]);
  assert.equal(none.exitCode, 1);
  assert.throws(() => statSync(join(folder, "none")), /ENOENT/);
});

test("a disk that is full of captures: no half of one is left, and it says why", { skip }, () => {
  const file = join(folder, "full.pcapng");
  // A file may have 512 octets: what is beyond that fails as on a full disk.
  const { status, stderr } = spawnSync(
    "sh",
    [
      ...["-c", 'ulimit -f 1; exec "$@"', "sh", process.execPath, PROGRAM],
      ...["trail", callId, "--host", core.host, "--pcapng", file],
    ],
    { encoding: "utf8" },
  );
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^tidewater: .*full\.pcapng: .*(?:too large|no space).*; nothing of it was left\n$/);
  assert.throws(() => statSync(file), /ENOENT/);
});

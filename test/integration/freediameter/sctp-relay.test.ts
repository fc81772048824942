import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Lir } from "@ims/diameter/cx";
import { selfSigned, startNode, until } from "@ims/diameter/testing";
import { freePort } from "@ims/runtime/testing";
import { ownAddress, whyNot } from "./freediameter.ts";

const missing = whyNot();
// Where everything can be installed, a missing peer is a failure.
const skip = missing !== undefined && process.env["CI"] !== "true" ? missing : false;
const DOCUMENTS = join(import.meta.dirname, "../../../docs/operations");

/** The shipped file for this machine: its addresses and ports, files beside it; the rest is as it is. */
function shipped(name: string, put: readonly (readonly [from: string | RegExp, to: string])[]): string {
  let text = readFileSync(join(DOCUMENTS, name), "utf8");
  for (const [from, to] of put) {
    assert.ok(text.match(from) !== null, `${name} has no ${String(from)}`);
    text = text.replace(from, to);
  }
  return text;
}

test("RFC 6733 §2.1, §2.8.1: freeDiameter takes the shipped configuration of a relay to SCTP, and relays Cx for a sprout it lists", {
  skip,
  timeout: 180_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const folder = mkdtempSync(join(tmpdir(), "sctp-relay-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { key, cert } = selfSigned("relay-1.example.com");
  writeFileSync(join(folder, "relay.key.pem"), key);
  writeFileSync(join(folder, "relay.cert.pem"), cert);
  writeFileSync(join(folder, "relay-clients.conf"), shipped("freediameter-clients.conf", []));
  const hss = startNode(t, "hss.other.example", { originRealm: "other.example" });
  const hssPort = await hss.listen({ host: "127.0.0.1", port: 0 });
  hss.handle(Lir, ({ avps }) => ({ resultCode: 2001, serverName: avps.publicIdentity }));
  const host = ownAddress() ?? "";
  const port = await freePort(host);
  const configuration = (sctp: boolean): string =>
    shipped("freediameter-sctp.conf", [
      [/^ListenOn = "192\.0\.2\.40";/m, `ListenOn = "${host}";`],
      [/^ListenOn = "198\.51\.100\.40";\n/m, ""],
      [/^Port = 3868;/m, `Port = ${port};`],
      [/\/etc\/freeDiameter/g, folder],
      // The HSS of this test speaks TCP: so does the relay to it.
      ...(sctp
        ? []
        : ([
            [
              /ConnectTo = "203\.0\.113\.10"; ConnectTo = "203\.0\.113\.138"; Port = 3868; No_TCP;/,
              `ConnectTo = "127.0.0.1"; Port = ${hssPort}; No_SCTP;`,
            ],
            [/^SCTP_streams = 30;/m, "No_SCTP; No_IPv6;"],
          ] as const)),
    ]);
  const start = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    const child = spawn("freeDiameterd", ["-c", path, "-d"], { stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const stop = async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(hard);
    };
    t.after(stop);
    return {
      log: () => log,
      has: (text: string) => log.includes(text),
      exited: () => child.exitCode !== null,
      stop,
    };
  };

  // As shipped: all of it is understood; a kernel without SCTP is what may stop it then, and it says so.
  const whole = start("whole.conf", configuration(true));
  await until(() => whole.has("daemon initialized") || whole.exited(), "freeDiameter as shipped");
  assert.doesNotMatch(whole.log(), /error.{0,40}(?:pars|syntax|unrecognized)|syntax error/i);
  assert.match(whole.log(), /Number of SCTP streams \. : 30\n[\s\S]*SCTP \.+ : Enabled\n/);
  assert.match(whole.log(), /Loaded extensions: '[^']*acl_wl\.fdx'/);
  if (whole.exited()) assert.match(whole.log(), /IPPROTO_SCTP\)\)' :\s+Protocol not supported/);
  t.diagnostic(whole.exited() ? "this kernel has no SCTP" : "this kernel has SCTP");
  await whole.stop();

  const relay = start("tcp.conf", configuration(false));
  await until(() => relay.has("daemon initialized") || relay.exited(), "freeDiameter");
  assert.ok(!relay.exited(), relay.log());
  const sprout = startNode(t, "sprout-0.sprout.example.com");
  sprout.addPeer({ host, port, originHost: "relay-1.example.com" });
  sprout.start();
  assert.equal(await sprout.whenConnected(20_000, "relay-1.example.com"), true, relay.log());
  assert.equal(await hss.whenConnected(20_000, "relay-1.example.com"), true, relay.log());
  const ask = () =>
    sprout.request(
      Lir,
      { publicIdentity: "sip:alice@other.example" },
      { destinationRealm: "other.example", timeoutMs: 3_000 },
    );
  let answer = await ask();
  const isServed = (): boolean => answer.kind === "answer" && answer.avps.serverName !== undefined;
  // freeDiameter takes a moment from the capabilities exchange to the first request it relays.
  for (let tries = 0; !isServed() && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await ask();
  }
  assert.ok(answer.kind === "answer", relay.log());
  assert.equal(answer.avps.serverName, "sip:alice@other.example");
  assert.equal(answer.avps.originHost, "hss.other.example");

  const stranger = startNode(t, "stranger.example.net");
  stranger.addPeer({ host, port });
  stranger.start();
  assert.equal(
    await stranger.whenConnected(1_000, "relay-1.example.com"),
    false,
    "who is not listed is not let in",
  );
});

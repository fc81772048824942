import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { freePort } from "@ims/runtime/testing";
import { inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";
import { type RunningSipp, runSipp, type SippResult, sippMissing, startSipp } from "../support/sipp.ts";
import { scenarioPath } from "../support/sipp-call.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const CARRIER = "127.9.2.10";
const PBX = "127.9.2.20";

/** Waits until somebody has bound a UDP port of 127.0.0.0/8. */
async function bound(host: string, port: number): Promise<void> {
  const address = Buffer.from(host.split(".").map(Number)).reverse().toString("hex").toUpperCase();
  const entry = ` ${address}:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  for (let turn = 0; turn < 500; turn++) {
    if (readFileSync("/proc/net/udp", "latin1").includes(entry)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`nobody has bound ${host}:${port}`);
}

describe("other networks and a PBX, played by SIPp", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "interconnection-"));
  let core: CoreUnderTest;
  let carrierPort = 0;

  before(async () => {
    assert.equal(missing, null, missing?.reason);
    carrierPort = await freePort(CARRIER);
    const nobody = await freePort(CARRIER);
    const peers = [
      {
        ...{ name: "carrier", domains: ["carrier.example", "*"], addresses: [CARRIER] },
        // The first one does not answer.
        targets: [`sip:${CARRIER}:${nobody}`, `sip:${CARRIER}:${carrierPort}`],
        ...{ answer_ms: 2_000, options_seconds: 0 },
      },
      {
        ...{ name: "pbx", addresses: [PBX], served_user: "sip:pbx@example.com", authenticate: true },
        identity: { numbers: ["+493012"] },
      },
    ];
    const file = join(folder, "peers.json");
    writeFileSync(file, JSON.stringify({ peers }));
    core = await launchCore({ args: ["--ibcf", file] });
    await core.addSubscriber({ impi: "pbx@example.com", impus: ["sip:pbx@example.com"], password: "trunk" });
  });
  after(async () => {
    await core?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const carrier = async (scenario: string): Promise<RunningSipp> => {
    const running = startSipp({
      scenario: scenarioPath(scenario),
      args: ["-t", "u1", "-i", CARRIER, "-p", String(carrierPort), "-m", "1"],
      timeoutMs: 20_000,
    });
    await bound(CARRIER, carrierPort);
    return running;
  };
  const alice = async (t: TestContext): Promise<SipUe> => {
    const ue = await SipUe.open(t, core, { user: "6505550000" });
    assert.equal((await ue.register()).status, 200);
    return ue;
  };
  const border = (): string => `${core.host}:5070`;

  /** Nothing of the nodes but the side of the peers. */
  const showsNothing = ({ messages, errors, exitCode }: SippResult): void => {
    assert.equal(exitCode, 0, `${errors}\n${messages.slice(0, 4_000)}`);
    assert.ok(messages.includes(border()), messages.slice(0, 500));
    const ports = [...messages.matchAll(new RegExp(`${core.host.replaceAll(".", "\\.")}:([0-9]+)`, "g"))];
    assert.deepEqual([...new Set(ports.map(([, port]) => port))], ["5070"]);
    assert.doesNotMatch(
      messages,
      /P-Served-User|P-Charging-Function|icid-generated-at|;orig|P-Charging-Vector/,
    );
  };

  test("TS 24.229 §5.10.2, §5.10.4: a call to another network, whose first target is dead; it sees nothing of ours, and its BYE comes home", async (t) => {
    const ue = await alice(t);
    for (const scenario of ["peer-answers", "peer-hangs-up"]) {
      const peer = await carrier(scenario);
      const invite = inviteOf(ue, "sip:bob@carrier.example").set("Call-ID", `${ue.callId}-${scenario}`);
      ue.send(invite);
      const answer = await ue.final("INVITE");
      assert.equal(answer.status, 200);
      const routes = answer.values("Record-Route").reverse();
      const inDialog = (method: string): void => {
        const request = ue.request(method, /<([^>]*)>/.exec(answer.header("Contact") ?? "")?.[1] ?? "", {
          callId: invite.callId,
          from: invite.header("From") ?? "",
          to: answer.header("To") ?? "",
          ...(method === "ACK" ? { cseq: invite.cseqNumber } : {}),
        });
        for (const route of routes) request.append("Route", route);
        ue.send(request);
      };
      inDialog("ACK");
      if (scenario === "peer-hangs-up") reply(ue, await ue.incoming("BYE"), 200);
      else {
        inDialog("BYE");
        assert.equal((await ue.final("BYE")).status, 200);
      }
      const result = await peer.done;
      showsNothing(result);
      const seen = result.messages.slice(result.messages.indexOf("INVITE sip:bob@carrier.example"));
      const head = seen.slice(0, seen.search(/\r?\n\r?\n/));
      assert.equal(head.match(/^Via:/gm)?.length, 2, head);
      assert.match(
        head,
        /^Via: SIP\/2\.0\/TCP example\.com;branch=z9hG4bK[\w-]+;tokenized-by=example\.com$/m,
      );
      assert.equal(head.match(/^Record-Route:/gm)?.length, 1, head);
      assert.match(head, /^P-Asserted-Identity: .*sip:6505550000@example\.com/m);
    }
  });

  test("TS 24.229 §5.10.3: a call from another network to a user of ours, by his number at our address; what it claims to be is not believed", async (t) => {
    const ue = await alice(t);
    const calling = runSipp({
      scenario: scenarioPath("peer-calls"),
      target: border(),
      args: ["-t", "u1", "-i", CARRIER, "-p", String(await freePort(CARRIER)), "-m", "1"],
      fill: { URI: `sip:6505550000@${border()}` },
      timeoutMs: 15_000,
    });
    const invite = await ue.incoming("INVITE");
    assert.equal(invite.has("P-Asserted-Identity"), false);
    reply(ue, invite, 180);
    reply(ue, invite, 200);
    await ue.incoming("ACK");
    reply(ue, await ue.incoming("BYE"), 200);
    const result = await calling;
    showsNothing(result);
    const seen = result.messages.slice(result.messages.indexOf("SIP/2.0 200 OK"));
    assert.equal(seen.slice(0, seen.search(/\r?\n\r?\n/)).match(/^Record-Route:/gm)?.length, 1);
  });

  test("TS 24.229 §5.4.3.6: a PBX that does not register proves who it is and calls a number of another network, for its own number", async () => {
    const peer = await carrier("peer-answers");
    const result = await runSipp({
      scenario: scenarioPath("pbx-calls"),
      target: border(),
      args: ["-t", "u1", "-i", PBX, "-p", String(await freePort(PBX)), "-m", "1"],
      csv: [["pbx", "[authentication username=pbx@example.com password=trunk]"]],
      fill: { URI: `sip:+442071234@${border()};user=phone` },
      timeoutMs: 15_000,
    });
    assert.equal(result.exitCode, 0, `${result.errors}\n${result.messages.slice(0, 6_000)}`);
    const called = await peer.done;
    showsNothing(called);
    assert.match(called.messages, /^INVITE sip:\+442071234@carrier\.example;user=phone SIP\/2\.0/m);
    assert.match(called.messages, /^P-Asserted-Identity: <tel:\+49301234>/m);
    assert.doesNotMatch(called.messages, /Proxy-Authorization/);
  });

  test("who is no peer reaches nobody through the border, and a peer no other network", async (t) => {
    const ue = await alice(t);
    const outsider = await SipUe.open(
      t,
      { domain: "example.com", sip: { ...core.sip, udpPort: 5070 } },
      { user: "mallory" },
    );
    outsider.send(outsider.request("MESSAGE", "sip:6505550000@example.com").setBody("hello", "text/plain"));
    assert.equal((await outsider.final("MESSAGE")).status, 403);
    await ue.expectNothing((message) => message.method === "MESSAGE", 100);
    const transit = await runSipp({
      scenario: scenarioPath("peer-calls"),
      target: border(),
      args: ["-t", "u1", "-i", CARRIER, "-p", String(await freePort(CARRIER)), "-m", "1"],
      fill: { URI: "sip:someone@elsewhere.example" },
      timeoutMs: 15_000,
    });
    assert.equal(transit.exitCode, 1);
    assert.match(transit.messages, /^SIP\/2\.0 404/m);
  });
});

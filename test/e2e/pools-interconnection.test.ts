import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const CARRIER = "127.9.2.30";
const folder = mkdtempSync(join(tmpdir(), "pools-interconnection-"));
let pools: PoolsUnderTest;

before(async () => {
  const peersFile = join(folder, "peers.json");
  const bgcfFile = join(folder, "bgcf.json");
  const peers = [{ name: "carrier", addresses: [CARRIER], domains: ["carrier.example"] }];
  writeFileSync(peersFile, JSON.stringify({ peers }));
  const route = ["sip:ibcf.carrier@bono-2.bono.example.com;transport=tcp"];
  writeFileSync(bgcfFile, JSON.stringify({ routes: [{ domain: "*", route }] }));
  const set = [
    `bono.ibcf-peers-file=${peersFile}`,
    // One name for all members: what one of them has hidden is any other's to open.
    "bono.ibcf-advertised-host=border.example.com",
    `sprout.bgcf-file=${bgcfFile}`,
  ];
  const options = set.flatMap((one) => ["--set", one]);
  pools = await launchPools(["--pools", "bono=2", "--no-restart", ...options]);
});
after(async () => {
  await pools?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("TS 24.229 §5.10.4.3: the IBCF that a call has left by dies: the other network ends the call through another member", async (t) => {
  const alice = await SipUe.open(t, pools.bono(1), { user: "6505550000" });
  assert.equal((await alice.register()).status, 200);
  const { domain, sip } = pools.bono(1);
  const border = { domain, sip: { ...sip, udpPort: 5070 } };
  const carrier = await SipUe.open(t, border, { user: "bob", address: CARRIER });

  const target = `sip:bob@${CARRIER}:${carrier.localPort}`;
  const call = await establish(alice, carrier, target);
  assert.match(call.received.top("Via") ?? "", new RegExp(`^SIP/2.0/UDP ${pools.network}.1.2:5070`));
  assert.match(
    call.received.header("Record-Route") ?? "",
    /^<sip:ibcf\.[\w-]+@border\.example\.com:5070;lr>/,
  );
  process.kill(pools.nodes.find(({ name }) => name === "bono-2")?.pid ?? 0, "SIGKILL");

  carrier.send(call.inDialog("callee", "BYE"));
  reply(alice, await alice.incoming("BYE"), 200);
  assert.equal((await carrier.final("BYE")).status, 200);
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openPools, type Pools, type PoolsFileInput, writePoolsFile } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { parseUri, type Uri } from "@ims/sip";
import { type Addresses, addressesOf } from "../src/addresses.ts";
import { bonoOptions } from "../src/index.ts";
import { ownUris } from "../src/pcscf/own-uris.ts";

const MEMBER = { coreHost: "192.0.2.1", coreAdvertisedHost: "bono-1.bono.example.com" };

function uri(text: string): Uri {
  return parseUri(text) ?? assert.fail(text);
}

function addresses(options: object, pools?: Pools): Addresses {
  return addressesOf(bonoOptions.parse(options), uri("sip:icscf.sprout.example.com;transport=tcp"), pools);
}

async function pools(
  t: TestContext,
): Promise<{ pools: Pools; replace: (sprouts: string[]) => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "bono-"));
  const file = join(folder, "pools.json");
  const content = (sprouts: string[]): PoolsFileInput => ({
    version: 1,
    domain: "example.com",
    pools: [
      {
        name: "sprout",
        services: [],
        members: sprouts.map((a, i) => ({ name: `sprout-${i + 1}`, addresses: [a] })),
      },
      { name: "bono", services: [], members: [{ name: "bono-2", addresses: ["192.0.2.2"] }] },
    ],
  });
  await writePoolsFile(file, content(["192.0.2.11"]));
  const clock = fakeClock();
  const opened = openPools(file, { clock, log: memoryLogger(), notify: false });
  t.after(() => {
    opened.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    pools: opened,
    replace: async (sprouts) => {
      await writePoolsFile(file, content(sprouts));
      const changed = new Promise<void>((resolve) => opened.onChange(() => resolve()));
      clock.advance(1000);
      await changed;
    },
  };
}

test("a member of a pool writes its name without a port, others their address and port", () => {
  assert.equal(
    addresses({ ...MEMBER, corePeers: ["192.0.2.11"] }).coreHostPort(5058),
    "bono-1.bono.example.com;transport=tcp",
  );
  assert.equal(addresses({}).coreHostPort(5058), "127.0.0.1:5058;transport=tcp");
  assert.equal(addresses({ host: "::1" }).coreHostPort(5058), "[::1]:5058;transport=tcp");
});

test("RFC 3261 §16.4: what is addressed to another member of the pool is ours, to other pools not", async (t) => {
  const { pools: known } = await pools(t);
  const own = addresses(MEMBER, known);
  const { sideOf } = ownUris({
    hosts: own.ownHosts,
    isCoreName: own.isPoolName,
    accessPorts: new Set([5060]),
    corePorts: new Set([5058]),
  });
  const sides = {
    "sip:token@bono-2.bono.example.com;transport=tcp;lr": "core",
    "sip:token@bono-99.bono.example.com;transport=tcp;lr": "core",
    "sip:bono-2.bono.example.com:5058;lr": "core",
    "sip:token@192.0.2.2:5060;lr": "access",
    "sip:token@192.0.2.11:5060;lr": undefined,
    "sip:sprout-1.sprout.example.com": undefined,
    "sip:bono-1.bono.example.com.evil.example": undefined,
    "sip:bono.example.com": undefined,
  };
  for (const [text, side] of Object.entries(sides)) assert.equal(sideOf(uri(text)), side, text);
});

test("TS 24.229 §4.4: who is a member of a pool may use the trusted side, as long as he is one", async (t) => {
  assert.throws(() => addresses(MEMBER), /BONO_CORE_OPEN/);
  const { pools: known, replace } = await pools(t);
  const { mayUseCore } = addresses({ ...MEMBER, corePeers: ["192.0.2.77"] }, known);
  assert.deepEqual(["192.0.2.11", "192.0.2.12", "192.0.2.77"].map(mayUseCore), [true, false, true]);
  await replace(["192.0.2.12"]);
  assert.deepEqual(["192.0.2.11", "192.0.2.12", "192.0.2.77"].map(mayUseCore), [false, true, true]);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type EtcdClient, type MemberRecord, PoolsWriter } from "@ims/etcd-cluster";
import { parsePoolsFile, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { clientOf, cluster, folder, pause, read, register, skip, until } from "./support.ts";

const PLAN = {
  domain: "example.com",
  pools: [
    { name: "sprout", services: [{ protocol: "sip", transport: "tcp", port: 5054 }] },
    { name: "bono", services: [] },
  ],
} as const;

function sprout(number: number, part: Partial<MemberRecord> = {}): MemberRecord {
  return { pool: "sprout", name: `sprout-${number}`, addresses: [`192.0.2.${number}`], state: "up", ...part };
}

async function writer(t: TestContext, client: EtcdClient) {
  const path = join(folder(t), "pools.json");
  const plan = { ...PLAN, pools: PLAN.pools.map((pool) => ({ ...pool, services: [...pool.services] })) };
  const clock = systemClock();
  const log = memoryLogger();
  const started = new PoolsWriter({ client, clock, log, root: "/site", plan, path, settleMs: 20 });
  await started.start();
  t.after(() => started.stop());
  const members = (): string[] => {
    const result = parsePoolsFile(read(path));
    const pool =
      result.kind === "pools" ? result.pools.pools.find(({ name }) => name === "sprout") : undefined;
    return (pool?.members ?? []).map(
      ({ name, addresses, draining }) => `${name} ${addresses}${draining ? " draining" : ""}`,
    );
  };
  const become = (...expected: string[]) =>
    until(`the pools file has ${expected.join(", ")}`, () => members().join() === expected.join());
  return { started, path, members, become };
}

describe("registry of pools on three real etcds", { skip }, () => {
  test("members come, drain, leave and lapse, and the pools file follows", async (t) => {
    const { endpoints } = await cluster(t);
    const client = clientOf(t, endpoints);
    const { become, started } = await writer(t, client);
    const killed = clientOf(t, endpoints);
    await register(t, killed, sprout(10));
    const two = await register(t, client, sprout(2));
    await become("sprout-2 192.0.2.2", "sprout-10 192.0.2.10");
    await two.quiesce();
    await become("sprout-2 192.0.2.2 draining", "sprout-10 192.0.2.10");
    await two.stop();
    await become("sprout-10 192.0.2.10");

    const dying = clientOf(t, endpoints);
    await register(t, dying, sprout(3));
    await become("sprout-3 192.0.2.3", "sprout-10 192.0.2.10");
    dying.close();
    const heir = await register(t, client, sprout(3, { addresses: ["192.0.2.33"] }));
    assert.equal(heir.state, "taken", "the name is held until its lease lapses");
    await become("sprout-3 192.0.2.33", "sprout-10 192.0.2.10");
    killed.close();
    const again = await register(t, client, sprout(10, { weight: 2 }));
    assert.equal(again.state, "registered", "the same addresses: a process that started again");

    // Rubbish in the registry costs nobody else anything.
    const writes = started.writes;
    for (const value of ["{", "[]", JSON.stringify(sprout(7)), '{"__proto__":1}'])
      await client.put("/site/members/sprout/sprout-8", value);
    await pause(200);
    await become("sprout-3 192.0.2.33", "sprout-10 192.0.2.10");
    assert.ok(started.writes <= writes + 1);
  });

  test("without quorum, without etcd, and with an empty registry the file stays; then members are back by themselves", async (t) => {
    const { endpoints, members, writable } = await cluster(t);
    const client = clientOf(t, endpoints, { deadlineMs: 1000, tryMs: 500, watchCheckMs: 300 });
    const { become, members: seen, path } = await writer(t, client);
    const one = await register(t, client, sprout(1));
    await register(t, client, sprout(2));
    const all = ["sprout-1 192.0.2.1", "sprout-2 192.0.2.2"];
    await become(...all);
    const text = read(path);
    await Promise.all(members.slice(0, 2).map((member) => member.kill()));
    await pause(3000); // longer than the leases
    assert.equal(read(path), text);
    await (members[2] as (typeof members)[number]).kill();
    await pause(500);
    assert.equal(read(path), text);
    await Promise.all(members.map((member) => member.restart()));
    await writable();
    await until("the registration is good again", () => one.state === "registered");
    await one.quiesce();
    await become("sprout-1 192.0.2.1 draining", "sprout-2 192.0.2.2");

    await client.delete({ prefix: "/site/members/" });
    await pause(100);
    assert.ok(seen().length > 0, "an empty pool helps nobody");
    await become("sprout-1 192.0.2.1 draining", "sprout-2 192.0.2.2");
  });
});

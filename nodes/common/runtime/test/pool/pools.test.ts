import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  openPools,
  type PoolChange,
  PoolError,
  type Pools,
  type PoolsModules,
  systemClock,
  writePoolsFile,
} from "@ims/runtime";
import { type FakeClock, fakeClock, type MemoryLogger, memoryLogger } from "@ims/runtime/testing";
import { samplePools } from "./sample-pools.ts";

interface Setup {
  readonly file: string;
  readonly pools: Pools;
  readonly log: MemoryLogger;
  readonly changes: PoolChange[];
  readonly changed: () => Promise<void>;
}

async function setUp(t: TestContext, modules: Partial<PoolsModules>): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), "pools-"));
  const file = join(folder, "pools.json");
  await writePoolsFile(file, samplePools({ sprout: 2 }));
  const log = memoryLogger();
  const pools = openPools(file, { clock: fakeClock(), log, ...modules });
  const changes: PoolChange[] = [];
  let wake = (): void => {};
  pools.onChange((change) => {
    changes.push(change);
    wake();
  });
  t.after(() => {
    pools.stop();
    rmSync(folder, { recursive: true });
  });
  return { file, pools, log, changes, changed: () => new Promise((resolve) => (wake = resolve)) };
}

/** Lets the file be looked at once; the reading itself is real. */
async function poll(clock: FakeClock): Promise<void> {
  clock.advance(1000);
  await new Promise((resolve) => setTimeout(resolve, 60));
}

function complaints({ log }: Setup): unknown[] {
  return log.lines.filter(({ level }) => level === 50 || level === "error").map(({ problem }) => problem);
}

test("a file that is replaced is in force at once, and its followers learn who came and went", async (t) => {
  const setup = await setUp(t, { clock: systemClock(), pollMs: 60_000 });
  const { file, pools, changes } = setup;
  const first = setup.changed();
  await writePoolsFile(file, samplePools({ sprout: 3 }));
  await first;
  assert.deepEqual(
    pools.members.map(({ name }) => name.split(".")[0]),
    ["sprout-1", "sprout-2", "sprout-3"],
  );
  assert.deepEqual(changes[0], {
    added: [
      {
        name: "sprout-3.sprout.example.com",
        pool: "sprout.example.com",
        addresses: ["127.0.2.3"],
        draining: false,
      },
    ],
    removed: [],
  });
  assert.equal(pools.isMember("127.0.2.3"), true);
  assert.equal(pools.isMember("127.0.2.3", "sprout.example.com"), true);
  assert.equal(pools.isMember("127.0.2.3", "bono.example.com"), false);
  const second = setup.changed();
  await writePoolsFile(file, samplePools({ sprout: 1 }));
  await second;
  assert.deepEqual(changes[1]?.removed.length, 2);
  assert.equal(pools.isMember("127.0.2.3"), false);
});

test("without notification the file is looked at every second; a bad one leaves the last good one and is logged once", async (t) => {
  const clock = fakeClock();
  const setup = await setUp(t, { clock, notify: false });
  const { file, pools, changes } = setup;
  await poll(clock);
  assert.equal(changes.length, 0);
  writeFileSync(file, '{"version": 1, "dom');
  await poll(clock);
  await poll(clock);
  assert.deepEqual(complaints(setup), ["is not JSON"]);
  assert.equal(pools.members.length, 2);
  rmSync(file);
  await poll(clock);
  await poll(clock);
  assert.deepEqual(complaints(setup), ["is not JSON", "cannot be read: ENOENT"]);
  assert.equal(pools.isMember("127.0.2.2"), true);
  await writePoolsFile(file, samplePools({ sprout: 2, bono: 1 }));
  await poll(clock);
  assert.equal(changes.length, 1);
  assert.equal(pools.members.length, 3);
});

test("a follower that fails does not keep the others from knowing", async (t) => {
  const clock = fakeClock();
  const { file, pools } = await setUp(t, { clock, notify: false });
  const told: number[] = [];
  pools.onChange(() => {
    throw new Error("mine");
  });
  const end = pools.onChange(({ added }) => void told.push(added.length));
  await writePoolsFile(file, samplePools({ sprout: 2, bono: 1 }));
  await poll(clock);
  end();
  await writePoolsFile(file, samplePools({ sprout: 2, bono: 2 }));
  await poll(clock);
  assert.deepEqual(told, [1]);
  assert.equal(pools.members.length, 4);
});

test("no good file to begin with is a mistake that is named", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pools-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "pools.json");
  const open = (): Pools => openPools(file, { clock: fakeClock(), log: memoryLogger() });
  assert.throws(open, (error) => error instanceof PoolError && error.detail.problem === "cannot be read");
  writeFileSync(file, "[]");
  assert.throws(
    open,
    (error) => error instanceof PoolError && /^--pools-file .*expected object/.test(error.message),
  );
});

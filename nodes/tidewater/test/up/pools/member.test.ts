import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Member, type Ready, type Runner } from "../../../src/up/pools/member.ts";

interface FakeRunner extends Runner {
  starts: number;
  stops: number;
  /** What the next starts give: a pid or a reason not to start. */
  readonly next: (number | string)[];
  die(why: string): void;
}

function fakeRunner(...next: (number | string)[]): FakeRunner {
  let exit: (why: string) => void = () => {};
  return {
    starts: 0,
    stops: 0,
    next,
    async start(onExit): Promise<Ready> {
      this.starts++;
      const outcome = next.shift() ?? 99;
      if (typeof outcome === "string") throw new Error(outcome);
      exit = onExit;
      return { pid: outcome, ports: {} };
    },
    async stop() {
      this.stops++;
      exit("SIGTERM");
    },
    die: (why) => exit(why),
  };
}

function setUp(t: TestContext, runner: Runner, restart = true): { member: Member; said: string[] } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  return {
    member: new Member({ name: "bono-1", pool: "bono", host: "127.0.1.1", runner, restart, say }),
    said,
  };
}

async function pass(t: TestContext, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test("a process that dies is started again, ever more slowly while it does not get ready", async (t) => {
  const runner = fakeRunner(1, "no port", "no port", 2);
  const { member, said } = setUp(t, runner);
  await member.start();
  assert.deepEqual([member.state, member.pid], ["ready", 1]);
  runner.die("SIGKILL");
  assert.deepEqual([member.state, member.pid], ["down", 0]);
  await pass(t, 99);
  assert.equal(runner.starts, 1);
  await pass(t, 1);
  assert.equal(runner.starts, 2);
  await pass(t, 200);
  assert.equal(runner.starts, 3);
  await pass(t, 399);
  assert.equal(runner.starts, 3);
  await pass(t, 1);
  assert.deepEqual([member.state, member.pid, member.restarts], ["ready", 2, 3]);
  assert.deepEqual(said.slice(0, 3), [
    "bono-1 ended (SIGKILL); starting it again in 0.1 s",
    "bono-1 no port; starting it again in 0.2 s",
    "bono-1 no port; starting it again in 0.4 s",
  ]);
  assert.match(said[3] ?? "", /^bono-1 is back \(pid 2, /);
});

test("--no-restart: it stays down until it is started by hand", async (t) => {
  const runner = fakeRunner(1, 2);
  const { member, said } = setUp(t, runner, false);
  await member.start();
  runner.die("SIGKILL");
  await pass(t, 60_000);
  assert.equal(runner.starts, 1);
  assert.deepEqual(said, ["bono-1 ended (SIGKILL); it stays down"]);
  await member.start();
  assert.equal(member.pid, 2);
});

test("a first start that fails is the caller's to know, and is not tried again", async (t) => {
  const runner = fakeRunner("no port");
  const { member } = setUp(t, runner);
  await assert.rejects(member.start(), /no port/);
  await pass(t, 60_000);
  assert.deepEqual([member.state, runner.starts], ["down", 1]);
});

test("one that was there before is tried again when its start fails", async (t) => {
  const runner = fakeRunner("no store", 7);
  const { member, said } = setUp(t, runner);
  await assert.rejects(member.start({ persist: true }), /no store/);
  await pass(t, 100);
  assert.deepEqual([member.state, member.pid], ["ready", 7]);
  assert.equal(said[0], "bono-1 no store; starting it again in 0.1 s");
});

test("what is stopped stays stopped, also while it waits for its next try", async (t) => {
  const runner = fakeRunner(1, "no port");
  const { member, said } = setUp(t, runner);
  await member.start();
  runner.die("exit code 1");
  await member.stop();
  await pass(t, 60_000);
  assert.deepEqual([member.state, runner.starts], ["down", 1]);
  const other = fakeRunner(1);
  const { member: second } = {
    member: new Member({ name: "b", pool: "b", host: "", runner: other, restart: true, say: () => {} }),
  };
  await second.start();
  await second.stop();
  await pass(t, 60_000);
  assert.deepEqual([second.state, other.starts, other.stops], ["down", 1, 1]);
  assert.equal(said.length, 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type QueueInput, type RestartQueue, stepQueue } from "@ims/etcd-cluster";
import fc from "fast-check";

const EMPTY: RestartQueue = { version: 1, entries: [] };

function run(queue: RestartQueue, ...inputs: readonly QueueInput[]): RestartQueue {
  return inputs.reduce((now, input) => stepQueue(now, input, 0) ?? now, queue);
}
const POOL = ["a", "b", "c"];
const look = (...healthy: string[]): QueueInput => view(POOL, healthy);
/** `absentMs`: for how long who is not registered has not been. */
const view = (
  registered: string[],
  healthy: string[],
  absentMs: Record<string, number> = {},
): QueueInput => ({
  kind: "look",
  registered: new Set(registered),
  healthy: new Set(healthy),
  absentMs: new Map(Object.entries(absentMs)),
});
const shown = ({ entries }: RestartQueue): string[] => entries.map(({ name, state }) => `${name} ${state}`);

test("members restart one after the other, the next only when all others are well", () => {
  let queue = run(EMPTY, { kind: "enqueue", names: ["a", "b", "a"] }, look("b", "c"));
  assert.deepEqual(shown(queue), ["a restarting", "b queued"]);
  queue = run(queue, look("a", "b", "c"), { kind: "finished", name: "b", healthy: true });
  assert.deepEqual(shown(queue), ["a restarting", "b queued"]);
  queue = run(queue, { kind: "finished", name: "a", healthy: true }, look("b", "c"), look("a", "b"));
  assert.deepEqual(shown(queue), ["a done", "b queued"], "a or c is not well");
  queue = run(queue, look("a", "c"));
  assert.deepEqual(shown(queue), ["a done", "b restarting"]);
  queue = run(queue, { kind: "enqueue", names: ["a", "b"] });
  assert.deepEqual(shown(queue), ["b restarting", "a queued"], "a again, b is at it");
});

test("a failure, and a restart that never ends, stop the queue until it is resumed", () => {
  const started = run(EMPTY, { kind: "enqueue", names: ["a", "b"] }, look("a", "b", "c"));
  const failed = run(started, { kind: "finished", name: "a", healthy: false }, look("a", "b", "c"));
  assert.deepEqual(shown(failed), ["a failed", "b queued"]);
  assert.deepEqual(shown(run(failed, { kind: "resume" }, look("b", "c"))), ["a restarting", "b queued"]);
  assert.deepEqual(shown(run(failed, { kind: "cancel" })), []);
  assert.equal(stepQueue(started, look("a", "b", "c"), 899_999), undefined);
  assert.deepEqual(shown(stepQueue(started, look("a", "b", "c"), 900_000) ?? EMPTY), [
    "a failed",
    "b queued",
  ]);
});

test("whoever was restarted for an earlier change and has left holds nobody up", () => {
  const before = [
    { name: "a", state: "done", since: 0 },
    { name: "b", state: "done", since: 0 },
    { name: "c", state: "done", since: 0 },
  ] as const;
  const again = stepQueue(
    { version: 1, entries: [...before] },
    { kind: "enqueue", names: ["a", "b"] },
    50_000,
  );
  assert.ok(again);
  const at = (absent: number, now: number) =>
    shown(stepQueue(again, view(["a", "b"], ["a", "b"], { c: absent }), now) ?? again);
  assert.deepEqual(at(59_999, 110_000), ["c done", "a queued", "b queued"], "it may be back soon");
  assert.deepEqual(at(60_000, 110_001), ["c done", "a restarting", "b queued"]);
  assert.deepEqual(at(900_000, 950_000), ["a queued", "b queued"], "it is forgotten");
});

test("whoever was restarted while others wait must be back, for as long as a restart may take", () => {
  const started = run(EMPTY, { kind: "enqueue", names: ["a", "b"] }, look("a", "b", "c"));
  const done = stepQueue(started, { kind: "finished", name: "a", healthy: true }, 5000) ?? EMPTY;
  const gone = view(["b", "c"], ["b", "c"], { a: 800_000 });
  assert.equal(stepQueue(done, gone, 904_999), undefined);
  assert.deepEqual(shown(stepQueue(done, gone, 905_000) ?? EMPTY), ["a done", "b restarting"]);
});

test("whoever waits and has left is passed over, has its turn when it is back, and is forgotten in the end", () => {
  const queue = run(EMPTY, { kind: "enqueue", names: ["a", "b"] });
  const without = (absent: number) => view(["b", "c"], ["b", "c"], { a: absent });
  assert.deepEqual(shown(run(queue, without(59_999))), ["a queued", "b queued"]);
  const passed = run(queue, without(60_000));
  assert.deepEqual(shown(passed), ["a queued", "b restarting"]);
  const done = run(passed, { kind: "finished", name: "b", healthy: true });
  assert.deepEqual(shown(run(done, without(70_000))), ["a queued", "b done"]);
  assert.deepEqual(shown(run(done, look("a", "b", "c"))), ["a restarting", "b done"]);
  assert.deepEqual(shown(run(done, without(900_000))), ["b done"]);
});

test("a failure stays when its member has left: nobody else goes before an operator has seen it", () => {
  const queue = run(EMPTY, { kind: "enqueue", names: ["a", "b"] }, look("a", "b", "c"));
  const failed = run(queue, { kind: "finished", name: "a", healthy: false });
  const without = view(["b", "c"], ["b", "c"], { a: 10_000_000 });
  assert.deepEqual(shown(run(failed, without)), ["a failed", "b queued"]);
  assert.deepEqual(shown(run(failed, { kind: "resume" }, without, without)), ["b restarting"]);
});

test("whatever is put in: never two at once", () => {
  const name = fc.constantFrom("a", "b", "c", "__proto__");
  const input: fc.Arbitrary<QueueInput> = fc.oneof(
    fc.record({ kind: fc.constant("enqueue" as const), names: fc.array(name) }),
    fc.record({ kind: fc.constant("finished" as const), name, healthy: fc.boolean() }),
    fc.constantFrom<QueueInput>({ kind: "resume" }, { kind: "cancel" }, look("a", "b", "c"), look("a")),
    fc.record({
      kind: fc.constant("look" as const),
      registered: fc.uniqueArray(name).map((names) => new Set(names)),
      healthy: fc.uniqueArray(name).map((names) => new Set(names)),
      absentMs: fc.array(fc.tuple(name, fc.integer({ min: 0, max: 1_000_000 }))).map((rows) => new Map(rows)),
    }),
  );
  fc.assert(
    fc.property(fc.array(input), (inputs) => {
      let queue = EMPTY;
      for (const one of inputs) {
        queue = run(queue, one);
        assert.ok(queue.entries.filter(({ state }) => state === "restarting").length <= 1);
        assert.equal(new Set(queue.entries.map((entry) => entry.name)).size, queue.entries.length);
      }
    }),
  );
});

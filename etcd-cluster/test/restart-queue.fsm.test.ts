import assert from "node:assert/strict";
import { test } from "node:test";
import { type QueueInput, type RestartQueue, stepQueue } from "@ims/etcd-cluster";
import fc from "fast-check";

const EMPTY: RestartQueue = { version: 1, entries: [] };

function run(queue: RestartQueue, ...inputs: readonly QueueInput[]): RestartQueue {
  return inputs.reduce((now, input) => stepQueue(now, input, 0) ?? now, queue);
}
const look = (...healthy: string[]): QueueInput => ({
  kind: "look",
  healthy: new Set(healthy),
  expected: new Set(["a", "b", "c"]),
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

test("whatever is put in: never two at once", () => {
  const name = fc.constantFrom("a", "b", "c", "__proto__");
  const input: fc.Arbitrary<QueueInput> = fc.oneof(
    fc.record({ kind: fc.constant("enqueue" as const), names: fc.array(name) }),
    fc.record({ kind: fc.constant("finished" as const), name, healthy: fc.boolean() }),
    fc.constantFrom<QueueInput>({ kind: "resume" }, { kind: "cancel" }, look("a", "b", "c"), look("a")),
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

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeStep } from "../../src/trail/ask-node.ts";
import { inOrder } from "../../src/trail/order.ts";

function at(node: string, time: number, sequence: number, what: Partial<NodeStep> = {}): NodeStep {
  return { node, time, sequence, direction: "", kind: "sip", title: `${node} ${sequence}`, ...what };
}
const sent = (message: string): Partial<NodeStep> => ({ direction: "out", message });
const came = (message: string): Partial<NodeStep> => ({ direction: "in", message });
const titles = (steps: readonly NodeStep[]): string[] => inOrder(steps).map(({ title }) => title);

test("by time, where clocks agree", () => {
  const steps = [at("b", 2, 0), at("a", 3, 1), at("a", 1, 0)];
  assert.deepEqual(titles(steps), ["a 0", "b 0", "a 1"]);
});

test("a clock that is behind or ahead changes nothing for a message and its answer", () => {
  for (const offset of [-5_000, -1.5, 0, 1.5, 5_000]) {
    const steps = [
      at("bono", 10, 0, came("request of the UE")),
      at("bono", 10.2, 1, sent("request")),
      at("sprout", 10.4 + offset, 0, came("request")),
      at("sprout", 10.6 + offset, 1, sent("answer")),
      at("bono", 10.8, 2, came("answer")),
      at("bono", 11, 3, sent("answer to the UE")),
    ];
    assert.deepEqual(
      titles(steps.toReversed()),
      ["bono 0", "bono 1", "sprout 0", "sprout 1", "bono 2", "bono 3"],
      `${offset} ms`,
    );
  }
});

test("a node's own steps stay as it recorded them, though its clock was set meanwhile", () => {
  assert.deepEqual(titles([at("a", 5, 0), at("a", 4, 1), at("a", 6, 2)]), ["a 0", "a 1", "a 2"]);
});

test("messages that seem to come before each other: all steps are there, once", () => {
  const steps = [
    at("a", 1, 0, came("x")),
    at("a", 2, 1, sent("y")),
    at("b", 1, 0, came("y")),
    at("b", 2, 1, sent("x")),
  ];
  assert.deepEqual(titles(steps).sort(), ["a 0", "a 1", "b 0", "b 1"]);
});

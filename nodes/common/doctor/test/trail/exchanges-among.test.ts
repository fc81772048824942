import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangesAmong, type NodeStep } from "@ims/doctor";
import { atOnce } from "@ims/runtime";

const T0 = Date.UTC(2026, 0, 1);
const ALICE = "sip:alice@example.com";
let sequence = 0;

function step(after: number, more: Partial<NodeStep>): NodeStep {
  const title = more.method ?? "";
  return { node: "n", sequence: sequence++, time: T0 + after, direction: "in", kind: "sip", title, ...more };
}

const named = (steps: readonly NodeStep[]): string[] => steps.map(({ title }) => title);

test("steps told one after the other make the same registrations and calls as those that are gathered at once", () => {
  const steps = [
    step(0, { method: "REGISTER", callId: "r", identities: [ALICE] }),
    step(5, {
      kind: "cx",
      title: "UAR",
      method: "UAR",
      identities: [ALICE],
      session: "s1",
      direction: "out",
    }),
    step(9, { kind: "cx", title: "UAA", method: "UAA", session: "s1" }),
    step(2_000, { method: "INVITE", callId: "c1", icid: "i", identities: [ALICE] }),
    step(2_010, {
      kind: "cx",
      title: "LIR",
      method: "LIR",
      identities: [ALICE],
      session: "s2",
      direction: "out",
    }),
    step(2_015, {
      kind: "cx",
      title: "UAR",
      method: "UAR",
      identities: [ALICE],
      session: "s3",
      direction: "out",
    }),
    step(2_020, { method: "INVITE", title: "INVITE of the server", callId: "c2", icid: "i" }),
    step(9_000, {
      kind: "cx",
      title: "SAR",
      method: "SAR",
      identities: [ALICE],
      session: "s4",
      direction: "out",
    }),
    step(2_012, {
      kind: "cx",
      title: "LIR",
      method: "LIR",
      identities: ["sip:bob@example.com"],
      session: "s5",
    }),
  ];
  const { exchanges, earlier } = atOnce(exchangesAmong(steps, 5));
  assert.equal(earlier, 0);
  assert.deepEqual(
    exchanges.map((one) => named(one.steps)),
    [
      ["REGISTER", "UAR", "UAA"],
      ["INVITE", "LIR", "INVITE of the server"],
    ],
  );
  const last = atOnce(exchangesAmong(steps, 1));
  assert.deepEqual([last.earlier, last.exchanges.map(({ callIds }) => callIds)], [1, [["c1", "c2"]]]);
});

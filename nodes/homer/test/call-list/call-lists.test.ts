import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { CallLists } from "../../src/call-list/call-lists.ts";
import { Owners } from "../../src/owners.ts";
import { sqliteCallLists } from "../../src/store/sqlite-call-lists.ts";
import { missed } from "../support/fragments.ts";

function listsOf(
  length: number,
  ownerOf?: (impu: string) => Promise<{ impi: string; publicIdentities: string[] }>,
) {
  const clock = fakeClock();
  const repository = sqliteCallLists({
    ...{ path: ":memory:", ttlSeconds: 1_000, clock },
    onFailure: (error) => assert.fail(String(error)),
  });
  const counted = new Map<string, number>();
  const changed: string[] = [];
  const lists = new CallLists({
    repository,
    owners: new Owners(ownerOf && { ownerOf }, clock),
    counters: {
      request: () => undefined,
      notification: () => undefined,
      fragments: (outcome, count) => void counted.set(outcome, (counted.get(outcome) ?? 0) + count),
    },
    length,
    changed: (impu) => void changed.push(impu),
    random: () => 0,
  });
  return { lists, repository, counted, changed };
}

test("a list that is too long is cut, the oldest calls go", async () => {
  const { lists, repository } = listsOf(20);
  for (let at = 0; at < 60; at++) await lists.add([missed(at, at)]);
  const found = await repository.find("sip:alice@example.com", 100);
  assert.ok(found !== "unavailable");
  assert.deepEqual(
    found.map(({ startedAt }) => startedAt),
    Array.from({ length: 20 }, (_, i) => 59 - i),
  );
});

test("all identities of a subscriber share a list; of nobody's identities nothing is kept", async () => {
  const identities = ["sip:alice@example.com", "tel:+4930123"];
  const { lists, counted, changed } = listsOf(20, async (impu) => {
    if (impu === "sip:nobody@example.com") return { impi: "", publicIdentities: [] };
    return { impi: "alice", publicIdentities: identities };
  });
  const report = await lists.add([
    missed(1),
    { ...missed(2, 2), impu: "tel:+49-30-123" },
    { ...missed(3, 3), impu: "sip:nobody@example.com" },
    { ...missed(4, 4), impu: "__proto__" },
  ]);
  assert.deepEqual(report, { written: 2, unknown: 2 });
  const text = await lists.read("sip:alice@example.com");
  assert.equal(text.split("<call>").length - 1, 2);
  assert.deepEqual(
    [...counted],
    [
      ["written", 2],
      ["unknown", 2],
    ],
  );
  assert.deepEqual(changed, ["sip:alice@example.com", "tel:+49-30-123"]);
});

test("while nobody knows whose an identity is nothing is written, so that it comes again", async () => {
  const { lists, counted, changed } = listsOf(20, () => Promise.reject(new Error("away")));
  assert.equal(await lists.add([missed(1)]), "unavailable");
  assert.deepEqual([...counted], [["failed", 1]]);
  assert.deepEqual(changed, []);
});

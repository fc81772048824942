import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClusterDocument, decide, type Facts, type Rules, serverLists } from "@ims/etcd-cluster";
import fc from "fast-check";

const RULES: Rules = { minimum: 2, batchMs: 1000, failAfterMs: 5000 };
const up = (...ids: string[]) => new Map(ids.map((id) => [id, "up"] as const));

function facts(part: Partial<Facts>): Facts {
  return { now: 0, present: new Map(), absentMs: new Map(), users: [], ...part };
}

/** Decides until nothing is left to do; users follow every step at once. */
function settle(document: ClusterDocument | undefined, seen: Partial<Facts>): ClusterDocument | undefined {
  let now = document;
  for (let i = 0; i < 50; i++) {
    const users = seen.users ?? (now === undefined ? [] : [{ step: now.step, synchronized: true }]);
    const next = decide(now, facts({ now: 1_000_000 * (i + 1), ...seen, users }), RULES);
    if (next === undefined) return now;
    now = next;
  }
  throw new Error("it never comes to rest");
}

const states = (document: ClusterDocument | undefined): string[] =>
  (document?.nodes ?? []).map(({ id, state }) => `${id} ${state}`);

test("a cluster begins when enough servers are there, without bringing anything over", () => {
  assert.equal(decide(undefined, facts({ present: up("a") }), RULES), undefined);
  const begun = decide(undefined, facts({ present: up("b", "a") }), RULES);
  assert.deepEqual(states(begun), ["a normal", "b normal"]);
  assert.deepEqual(serverLists(begun as ClusterDocument), { servers: ["a", "b"] });
});

test("servers that come together join together, in an exchange that every user must confirm twice", () => {
  let document = settle(undefined, { present: up("a", "b") }) as ClusterDocument;
  const see = (part: Partial<Facts>): void => {
    document = decide(document, facts({ present: up("a", "b", "c", "d"), ...part }), RULES) ?? document;
  };
  see({ now: 10, present: up("a", "b", "c") });
  see({ now: 900 });
  assert.deepEqual(states(document), ["a normal", "b normal", "c waiting-to-join", "d waiting-to-join"]);
  see({ now: 1009 });
  assert.equal(document.phase, "stable");
  see({ now: 1010 });
  assert.deepEqual(serverLists(document), { servers: ["a", "b"], next: ["a", "b", "c", "d"] });
  const { step } = document;
  for (const users of [
    [],
    [{ step: step - 1, synchronized: true }],
    [{ step, synchronized: false }],
    [
      { step, synchronized: true },
      { step, synchronized: false },
    ],
  ]) {
    see({ now: 2000, users });
    assert.equal(document.phase, "synchronizing");
  }
  see({ now: 2000, users: [{ step, synchronized: true }] });
  assert.equal(document.phase, "adopting");
  assert.deepEqual(serverLists(document), { servers: ["a", "b", "c", "d"] });
  see({ now: 2000, users: [{ step, synchronized: true }] });
  assert.equal(document.phase, "adopting", "a user still works with two lists");
  see({ now: 2000, users: [{ step: step + 1, synchronized: true }] });
  assert.deepEqual(
    [document.phase, ...states(document)],
    ["stable", "a normal", "b normal", "c normal", "d normal"],
  );
});

test("a server leaves when its entries are with others, and never where too few would stay", () => {
  const four = settle(undefined, { present: up("a", "b", "c", "d") });
  const present = new Map([...up("a"), ["b", "draining"], ["c", "draining"], ["d", "draining"]] as const);
  const two = settle(four, { present });
  assert.deepEqual(states(two), ["a normal", "d waiting-to-leave"]);
  assert.deepEqual(serverLists(two as ClusterDocument), { servers: ["a", "d"] });
  const back = settle(two, { present: up("a", "d") });
  assert.deepEqual(states(back), ["a normal", "d normal"]);
});

test("a failed server is out at once; the others make second copies, with whoever waits to replace it", () => {
  const two = settle(undefined, { present: up("a", "b") }) as ClusterDocument;
  const early = decide(two, facts({ present: up("a"), absentMs: new Map([["b", 4999]]) }), RULES);
  assert.equal(early, undefined);
  const seen = { present: up("a", "c"), absentMs: new Map([["b", 5000]]) };
  const waiting = decide(two, facts({ present: up("a", "c") }), RULES) as ClusterDocument;
  const failed = decide(waiting, facts(seen), RULES) as ClusterDocument;
  assert.deepEqual(serverLists(failed), { servers: ["a"], next: ["a", "c"] });
  assert.deepEqual(states(settle(failed, seen)), ["a normal", "c normal"]);
});

test("the last server is kept, dead or not", () => {
  const two = settle(undefined, { present: up("a", "b") });
  const absentMs = new Map([
    ["a", 9999],
    ["b", 9999],
  ]);
  assert.deepEqual(states(settle(two, { absentMs })), ["b normal"]);
});

test("whatever comes and goes: a list in force holds nothing that was not in the lists before, and it all comes to rest", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const event = fc.record({
    id: fc.constantFrom(...ids),
    what: fc.constantFrom("up", "draining", "gone", "dead", "confirm", "wait"),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const present = new Map<string, "up" | "draining">(up("a", "b", "c"));
      const absentMs = new Map<string, number>();
      let now = 0;
      let document = settle(undefined, { present }) as ClusterDocument;
      const look = (confirmed: boolean): void => {
        const users = [{ step: confirmed ? document.step : document.step - 1, synchronized: true }];
        const next = decide(document, facts({ now, present, absentMs, users }), RULES);
        if (next === undefined) return;
        const before = serverLists(document);
        const after = serverLists(next);
        const known = new Set([...before.servers, ...(before.next ?? [])]);
        assert.ok(after.servers.length > 0 && (after.next === undefined || after.next.length > 0));
        assert.ok(after.servers.every((id) => known.has(id)));
        if (JSON.stringify(before) !== JSON.stringify(after)) assert.equal(next.step, document.step + 1);
        // A living server leaves the list in force only after it was left out of the one to come.
        for (const id of before.servers)
          if (!after.servers.includes(id) && present.has(id)) assert.ok(before.next?.includes(id) === false);
        document = next;
      };
      for (const { id, what } of events) {
        now += 700;
        if (what === "up" || what === "draining") {
          present.set(id, what);
          absentMs.delete(id);
        }
        if (what === "gone" || what === "dead") {
          present.delete(id);
          absentMs.set(id, what === "dead" ? 10_000 : 0);
        }
        look(what === "confirm");
      }
      const end = settle(document, { present: up(...ids) }) as ClusterDocument;
      assert.deepEqual(
        states(end).sort(),
        ids.map((id) => `${id} normal`),
      );
    }),
    { numRuns: 300 },
  );
});

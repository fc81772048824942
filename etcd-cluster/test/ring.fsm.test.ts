import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decideRing, type RingDocument, type RingFacts, type RingReport } from "../src/index.ts";

const RULES = { minimum: 2, batchMs: 1000, failAfterMs: 5000, retryMs: 3000 };
const up = (...ids: string[]) => new Map(ids.map((id) => [id, "up"] as const));

/** A site: what an agent does for the document takes effect at once, unless its node is in `broken`. */
class Site {
  now = 0;
  document: RingDocument | undefined;
  readonly present = new Map<string, "up" | "draining">();
  readonly absentSince = new Map<string, number>();
  readonly reports = new Map<string, RingReport>();
  readonly broken = new Set<string>();
  readonly done: string[] = [];

  come(...ids: string[]): void {
    for (const id of ids) {
      this.present.set(id, "up");
      this.absentSince.delete(id);
      this.reports.set(id, { id, fresh: true, task: 0, result: "done", ...this.reports.get(id) });
    }
  }

  /** Its registration lapses; `lost`: its disk is gone, too. */
  die(id: string, lost = false): void {
    this.present.delete(id);
    this.absentSince.set(id, this.now);
    const report = this.reports.get(id);
    if (lost && report !== undefined) this.reports.set(id, { ...report, fresh: true });
  }

  facts(): RingFacts {
    const absent = [...this.absentSince].map(([id, since]) => [id, this.now - since] as const);
    const here = [...this.reports.values()].filter(({ id }) => this.present.has(id));
    return { now: this.now, present: this.present, absentMs: new Map(absent), reports: here };
  }

  look(): boolean {
    const next = decideRing(this.document, this.facts(), RULES);
    if (next === undefined) return false;
    this.document = next;
    const begun = next.operation;
    if (begun !== undefined && this.present.has(begun.on)) {
      const { task, kind, on, of } = begun;
      const before = this.reports.get(on);
      if (before?.task === task) return true;
      const failed = this.broken.has(on);
      if (!failed) this.done.push(`${kind} ${on}${of === undefined ? "" : ` of ${of}`}`);
      const fresh = failed ? (before?.fresh ?? true) : kind === "decommission";
      this.reports.set(on, { id: on, fresh, task, result: failed ? "failed" : "done" });
    }
    return true;
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 250)
      for (let i = 0; i < 20 && this.look(); i++);
  }

  ring(): string[] {
    return (this.document?.nodes ?? []).map(({ id, state, due }) => `${id} ${state} ${due}`).sort();
  }
}

function siteOf(...ids: string[]): Site {
  const site = new Site();
  site.come(...ids);
  site.run(3000);
  site.done.length = 0;
  return site;
}

test("a ring begins with enough nodes, which come in one after the other", () => {
  assert.equal(decideRing(undefined, { ...new Site().facts(), present: up("a") }, RULES), undefined);
  const site = new Site();
  site.come("a", "b", "c");
  site.run(500);
  assert.deepEqual(site.done, []);
  site.run(2000);
  assert.deepEqual(site.done.slice(0, 3), ["bootstrap a", "bootstrap b", "bootstrap c"]);
  assert.deepEqual(site.ring(), ["a normal nothing", "b normal nothing", "c normal nothing"]);
});

test("a batch joins one by one; then each node that was there cleans up, one by one", () => {
  const site = siteOf("a", "b");
  site.come("c");
  site.run(750);
  site.come("d");
  site.run(3000);
  assert.deepEqual(site.done, ["bootstrap c", "bootstrap d", "cleanup a", "cleanup b", "cleanup c"]);
});

test("who is asked to leave is decommissioned, never where fewer than the minimum would stay", () => {
  const site = siteOf("a", "b", "c");
  site.present.set("a", "draining");
  site.present.set("b", "draining");
  site.run(4000);
  assert.deepEqual(site.done, ["decommission a"]);
  assert.deepEqual(site.ring(), ["b waiting-to-leave nothing", "c normal nothing"]);
});

test("a dead node is taken out where enough stay, and replaced where somebody waits; the last one is kept", () => {
  const site = siteOf("a", "b", "c");
  site.die("b");
  site.run(4000);
  assert.deepEqual(site.done, []);
  site.run(2000);
  assert.deepEqual(site.done, ["removenode a of b"]);
  site.die("c");
  site.run(6000);
  assert.deepEqual(site.done, ["removenode a of b"]);
  site.come("d");
  site.run(1000);
  assert.deepEqual(site.done.slice(1), ["bootstrap d of c"]);
  site.die("a");
  site.die("d");
  site.run(20_000);
  assert.equal(site.ring().filter((line) => line.includes("failed")).length, 1);
});

test("a node that was given up and comes back is repaired; one that comes back empty takes its own place", () => {
  const site = siteOf("a", "b");
  site.die("b");
  site.run(6000);
  assert.deepEqual(site.ring(), ["a normal nothing", "b failed nothing"]);
  site.come("b");
  site.run(500);
  assert.deepEqual(site.done, ["repair b"]);
  site.die("b", true);
  site.come("b");
  site.run(500);
  assert.deepEqual(site.done, ["repair b", "bootstrap b of b"]);
  assert.deepEqual(site.ring(), ["a normal nothing", "b normal nothing"]);
});

test("while a node is absent and not yet given up nothing is moved", () => {
  const site = siteOf("a", "b", "c");
  site.die("c");
  site.come("d");
  site.run(3000);
  assert.deepEqual(site.done, []);
  site.come("c");
  site.run(500);
  assert.equal(site.done[0], "bootstrap d");
});

test("an operation that fails is tried again after a while, one whose node dies is given up", () => {
  const site = siteOf("a", "b", "c");
  site.broken.add("d");
  site.come("d");
  site.run(2500);
  assert.deepEqual(site.done, []);
  site.broken.clear();
  site.run(4500);
  assert.equal(site.done[0], "bootstrap d");
  site.present.set("d", "draining");
  site.broken.add("d");
  site.run(1500);
  site.die("d");
  site.run(10_000);
  assert.equal(site.done.at(-1), "removenode a of d");
});

test("whatever comes and goes: one operation at a time, and it all comes to rest", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const event = fc.record({
    id: fc.constantFrom(...ids),
    what: fc.constantFrom("come", "leave", "die", "lose", "break", "mend"),
    ms: fc.constantFrom(0, 250, 2000, 6000),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const site = siteOf("a", "b", "c");
      for (const { id, what, ms } of events) {
        if (what === "come") site.come(id);
        if (what === "leave" && site.present.has(id)) site.present.set(id, "draining");
        if (what === "die" || what === "lose") site.die(id, what === "lose");
        if (what === "break") site.broken.add(id);
        if (what === "mend") site.broken.delete(id);
        site.run(ms);
        const moving = site.document?.nodes.filter(({ state }) => state === "joining" || state === "leaving");
        assert.ok((moving ?? []).length <= 1);
      }
      site.broken.clear();
      site.come(...ids);
      site.run(60_000);
      assert.deepEqual(
        site.ring(),
        ids.map((id) => `${id} normal nothing`),
      );
      assert.equal(site.document?.operation, undefined);
    }),
    { numRuns: 200 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultRecord } from "../history/calls.ts";
import { emptyHistory, type RegisterOperation } from "../history/operations.ts";
import { Random } from "../random.ts";
import { drawing } from "./drawing.ts";
import { figuresOf, quantile } from "./figures.ts";
import { PUBLISHED } from "./published.ts";
import { skippedLines, table } from "./table.ts";

const register = (began: number, ms: number): RegisterOperation => ({
  ...{ kind: "register", purpose: "refresh", aor: "sip:a@example.com", device: "d1", transport: "udp" },
  ...{ began, ended: began + ms, outcome: "ok", status: 200, bonos: ["bono-1"], slowest: ms },
});
const kill: FaultRecord = { fault: "kill", target: "sprout", members: ["sprout-1"], at: 1000, ready: 4000 };

test("figures count what was under way at the fault or began soon after it", () => {
  const registers = [register(0, 900), register(990, 60), register(1100, 150), register(9000, 700)];
  const { faults, registrations } = figuresOf("c", { ...emptyHistory(), registers }, [kill], []);
  assert.equal(registrations, 4);
  assert.equal(faults[0]?.slowestRegister, 150);
  assert.equal(faults[0]?.chosenFor, 100);
});

test("UEs of an edge node that is gone: over TCP from the fault, over UDP from noticing it", () => {
  const move = { aor: "a", device: "d1", from: "sprout-1", to: "b", noticed: 1500, registered: 1520 };
  const moves = [
    { ...move, transport: "tcp" as const },
    { ...move, transport: "udp" as const },
    { ...move, transport: "udp" as const, from: "other" },
  ];
  const { faults } = figuresOf("c", { ...emptyHistory(), moves }, [kill], []);
  assert.deepEqual(faults[0]?.elsewhere, [520, 20]);
});

test("the table has a line for each cell, and a broken promise cannot be overlooked", () => {
  const whole = figuresOf("kill/sprout/idle", emptyHistory(), [kill], []);
  const broken = figuresOf(
    "kill/bono/idle",
    emptyHistory(),
    [kill],
    [{ rule: "call lost", subject: "x", what: "y" }],
  );
  const lines = table([whole, broken]).split("\n");
  assert.equal(lines.length, 4);
  assert.match(lines[2] ?? "", /kept/);
  assert.match(lines[3] ?? "", /BROKEN: 1 x call lost/);
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
});

test("cells that were not run are named with the reason", () => {
  const text = skippedLines([{ cell: "kill/etcd/idle", why: "nodes never talk to etcd" }]);
  assert.match(text, /not applicable: nodes never talk to etcd \(1 cells, kill\/etcd\/idle/);
});

test("the drawing is well formed, the same for the same figures, and keeps every value inside", () => {
  const strip = { title: "a < b & c", values: [0.2, 12, 250, 99_000], published: PUBLISHED.call };
  const picture = drawing([strip, { ...strip, values: [] }], "two pools");
  assert.equal(drawing([strip, { ...strip, values: [] }], "two pools"), picture);
  assert.match(picture, /a &lt; b &amp; c/);
  assert.match(picture, /not measured/);
  assert.match(picture, /prefers-color-scheme:dark/);
  for (const [, x] of picture.matchAll(/cx="([\d.]+)"/g)) assert.ok(Number(x) > 0 && Number(x) < 860, x);
  const open = [...picture.matchAll(/<(svg|g|text|style)[ >]/g)].length;
  assert.equal([...picture.matchAll(/<\/(svg|g|text|style)>/g)].length, open);
});

test("one seed gives one sequence, and parts that draw do not disturb each other", () => {
  const draw = (random: Random): number[] => Array.from({ length: 5 }, () => random.next());
  assert.deepEqual(draw(new Random(7)), draw(new Random(7)));
  assert.notDeepEqual(draw(new Random(7)), draw(new Random(8)));
  const random = new Random(7);
  assert.deepEqual(draw(random.fork("a")), draw(new Random(7).fork("a")));
  assert.ok(quantile(draw(random), 0.5) < 1);
});

import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { attribute } from "../budget/attribute.ts";
import { flameGraph } from "../budget/flame-graph.ts";
import { type Frame, framesOfAllocations, framesOfCpu } from "../budget/frames.ts";
import { budgetOf, total } from "../budget/reckon.ts";
import { PLACES, STEP_NAMES, stepOf } from "../budget/steps.ts";
import type { ThreadTimes } from "../budget/threads.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Folders of the processes that the bench puts load on. */
const UNDER_LOAD =
  "nodes/{all-in-one,bono,sprout,homestead,common/{api,application-server,diameter,ims,runtime,sip,store}}/src/**/*.ts";

const PARSER = "nodes/common/sip/src/message/parser.ts";
const PACER = "nodes/common/runtime/src/loop-pacer.ts";
const UDP = "nodes/common/sip/src/transport/udp.ts";

const frame = <Value>(
  functionName: string,
  file: string,
  self: Value,
  children: readonly Frame<Value>[] = [],
): Frame<Value> => ({ functionName, file, self, children });

const times = (part: Partial<ThreadTimes>): ThreadTimes => ({
  ...{ main: 0, others: 0, sampler: 0, byName: {}, kernelTicks: 0, ticks: 1 },
  ...part,
});

test("every file of the nodes under load has a step, and every place of the table is there", () => {
  const files = globSync(UNDER_LOAD, { cwd: ROOT });
  assert.ok(files.length > 300, `${files.length} files`);
  assert.deepEqual(
    files.filter((file) => stepOf(file, "") === undefined),
    [],
  );
  assert.deepEqual(
    PLACES.filter(({ path }) => !existsSync(join(ROOT, path))).map(({ path }) => path),
    [],
  );
});

test("functions that the table of steps names are in their files", async () => {
  const { readFileSync } = await import("node:fs");
  for (const { path, except } of PLACES) {
    if (except === undefined || path.endsWith("/")) continue;
    const text = readFileSync(join(ROOT, path), "utf8");
    const missing = except.functions.filter((name) => !text.includes(name));
    // Sending has one list for all transports: some of it is in each.
    assert.ok(missing.length < except.functions.length, path);
    if (except.step !== "write") assert.deepEqual(missing, [], path);
  }
});

test("what the engine and Node do belongs to the function that asked for it; sleep costs nothing", () => {
  const tree = frame("(root)", "", 0, [
    frame("parseMessage", PARSER, 5, [
      frame("indexOf", "", 3),
      frame("toString", "", 4),
      frame("hash", "node:internal/crypto/hash", 3),
    ]),
    frame("processTimers", "node:internal/timers", 2, [frame("onText", UDP, 1), frame("send", UDP, 4)]),
    frame("(anonymous)", PACER, 1, [frame("wait", "", 900)]),
    frame("(idle)", "", 800),
    frame("(garbage collector)", "", 6),
    frame("(program)", "", 8),
  ]);
  const spent: Record<string, number> = {};
  attribute(tree, ({ self }, account) => {
    spent[account] = (spent[account] ?? 0) + self;
  });
  assert.deepEqual(spent, { engine: 10, parse: 15, read: 1, write: 4, asleep: 1701, collect: 6 });
});

test("a sample lasts until the next one; samples outside of the load do not count", () => {
  const node = (id: number, functionName: string, url = "", children: number[] = []) => ({
    ...{ id, callFrame: { functionName, url } },
    children,
  });
  const profile = {
    nodes: [
      node(1, "(root)", "", [2, 3]),
      node(2, "parse", `file:///somewhere/${PARSER}`),
      node(3, "", "file:///somewhere/node_modules/pino/pino.js"),
    ],
    startTime: 1000,
    samples: [2, 2, 3, 2],
    timeDeltas: [10, 100, 50, 70],
  };
  const tree = framesOfCpu(profile, 1100, 2000);
  assert.deepEqual(tree, {
    ...frame("(root)", "", 0),
    children: [frame("parse", PARSER, 50), frame("(anonymous)", "node_modules/pino/pino.js", 70)],
  });
});

test("allocations are counted one by one", () => {
  const tree = framesOfAllocations({
    head: {
      ...{ id: 1, callFrame: { functionName: "(root)", url: "" } },
      children: [{ id: 2, callFrame: { functionName: "parse", url: `file:///x/${PARSER}` }, children: [] }],
    },
    samples: [
      { nodeId: 2, size: 24 },
      { nodeId: 2, size: 40 },
    ],
  });
  assert.deepEqual(tree.children[0]?.self, { objects: 2, bytes: 64 });
});

test("shares are those of the profile, microseconds those of the load without it", () => {
  const profiled = frame("(root)", "", 0, [
    frame("parse", PARSER, 600_000),
    frame("(idle)", "", 5_000_000),
    frame("(garbage collector)", "", 200_000),
  ]);
  const byName = { V8Worker: 0.1 };
  const plain = times({ main: 0.9, others: 0.1, byName, kernelTicks: 30, ticks: 100 });
  const budget = budgetOf({
    // 1,000 us an operation
    plain: [{ operations: 1000, times: plain }],
    // 1,200 us an operation, and 60 of the thread that samples
    profiled: [{ operations: 1000, times: times({ main: 1, others: 0.2, sampler: 0.06 }), frames: profiled }],
    allocations: {
      ...{ operations: 10, seconds: 20 },
      frames: frame("(root)", "", { objects: 0, bytes: 0 }, [
        frame("parse", PARSER, { objects: 60, bytes: 2100 }),
      ]),
      // Half as long without load: ten objects are not the load's.
      idle: {
        seconds: 10,
        frames: frame("(root)", "", { objects: 0, bytes: 0 }, [
          frame("parse", PARSER, { objects: 5, bytes: 50 }),
        ]),
      },
    },
  });
  const micros = Object.fromEntries(
    Object.entries(budget.steps).map(([step, spent]) => [step, Math.round(spent.micros)]),
  );
  assert.deepEqual(micros, { parse: 500, collect: 167, poll: 167, helpers: 167 });
  assert.equal(Math.round(budget.steps.parse?.objects ?? 0), 5);
  assert.equal(Math.round(budget.steps.parse?.bytes ?? 0), 200);
  assert.equal(Math.round(budget.micros), 1000);
  assert.equal(Math.round(budget.helpers["V8Worker"] ?? 0), 100);
  assert.equal(budget.kernelShare, 0.3);
  assert.equal(budget.profilerCost.toFixed(2), "1.26");
  assert.equal(Math.round(total(budget.frames)), 667);
  assert.deepEqual(budget.functions[0]?.functionName, "parse");
});

test("time of the clock beyond what the thread ran is waiting for a processor: all steps give of it alike", () => {
  const { steps } = budgetOf({
    plain: [{ operations: 1000, times: times({ main: 1 }) }],
    profiled: [
      {
        operations: 1000,
        times: times({ main: 1 }),
        frames: frame("(root)", "", 0, [frame("parse", PARSER, 1_500_000), frame("(program)", "", 500_000)]),
      },
    ],
    allocations: {
      ...{ operations: 1, seconds: 1, frames: frame("(root)", "", { objects: 0, bytes: 0 }) },
      idle: { seconds: 1, frames: frame("(root)", "", { objects: 0, bytes: 0 }) },
    },
  });
  assert.deepEqual([steps.parse?.micros, steps.engine?.micros, steps.poll?.micros], [750, 250, 0]);
});

test("a flame graph is the same for the same figures, is small, and is well-formed whatever functions are called", () => {
  const leaves = Array.from({ length: 4000 }, (_, i) =>
    frame(`<f"${i}&`, PARSER, 1, [frame(`inner${i}`, UDP, 0.5)]),
  );
  const graph = {
    title: "One registration: 6,000 us",
    subtitle: "400/s",
    parts: [
      {
        name: "bono+sprout",
        frames: frame("(root)", "", 0, [frame("onText", UDP, 10, leaves)]),
        beside: [{ step: "poll" as const, micros: 300 }],
      },
    ],
  };
  const drawn = flameGraph(graph);
  assert.equal(drawn, flameGraph(graph));
  assert.ok(drawn.length < 200_000, `${drawn.length} bytes`);
  assert.doesNotMatch(drawn, /<f"|&[^a-z#]/);
  const few = flameGraph({
    ...graph,
    parts: [
      { ...graph.parts[0], name: "bono", frames: frame("(root)", "", 0, leaves.slice(0, 3)), beside: [] },
    ],
  });
  assert.match(few, /&lt;f&quot;0&amp; parser: 1\.5 us, 33\.3 %/);
  assert.match(few, new RegExp(`class="s${STEP_NAMES.indexOf("parse")}"`));
});

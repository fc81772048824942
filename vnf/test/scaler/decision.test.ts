import assert from "node:assert/strict";
import { test } from "node:test";
import { isAligned } from "../../src/placement/steps.ts";
import { decide, type Situation, stepDown, stepUp } from "../../src/scaler/decision.ts";
import { readScalerConfig, type ScaledPool } from "../../src/scaler/scaler-config.ts";

const tolerance = { share: { numerator: 1, denominator: 4 } };
const pool: ScaledPool = {
  min: 7,
  max: 15,
  samples: 2,
  cooldown: { out: 300, in: 900 },
  signals: {
    load: { query: "l", out: 0.7, in: 0.3 },
    "answer-p99": { query: "p", out: 0.25, in: 0.1 },
  },
};
const sample = (load: number | undefined, p99: number | undefined): ReadonlyMap<string, number | undefined> =>
  new Map([
    ["load", load],
    ["answer-p99", p99],
  ]);
const at = (samples: Situation["samples"], more: Partial<Situation> = {}): Situation => ({
  size: 11,
  tolerance,
  samples,
  asked: undefined,
  changed: undefined,
  now: 10_000_000,
  ...more,
});

test("response time alone is enough to grow, however idle the CPUs are", () => {
  const decision = decide(pool, at([sample(0.1, 0.4), sample(0.1, 0.4)]));
  assert.deepEqual(decision, { kind: "out", to: 15, why: "answer-p99 is 0.4, above 0.25" });
});

test("a pool shrinks only when all signals agree, are known, and fewer members could carry it", () => {
  const idle = sample(0.1, 0.01);
  assert.deepEqual(decide(pool, at([idle, idle])), { kind: "in", to: 7, why: "load and answer-p99 low" });
  assert.match(JSON.stringify(decide(pool, at([sample(0.1, 0.15), sample(0.1, 0.15)]))), /hold.*between/);
  assert.match(
    JSON.stringify(decide(pool, at([sample(0.1, undefined), idle]))),
    /hold.*answer-p99 is not known/,
  );
  const near = { ...pool, signals: { load: { query: "l", out: 0.4, in: 0.3 } } };
  const full = new Map([["load", 0.29]]);
  assert.match(JSON.stringify(decide(near, at([full, full]))), /hold.*would be 0.456 on 7 members/);
});

test("one sample is not enough, and one that disagrees begins anew", () => {
  const high = sample(0.9, 0.4);
  assert.match(JSON.stringify(decide(pool, at([high]))), /hold.*1 of 2 samples/);
  assert.equal(decide(pool, at([high, sample(0.5, 0.2)])).kind, "hold");
  assert.equal(decide(pool, at([sample(0.5, 0.2), high])).kind, "hold");
});

test("cool-down: longer before shrinking than before growing; least and greatest size are kept", () => {
  const high = [sample(0.9, 0.4), sample(0.9, 0.4)];
  const low = [sample(0.1, 0.01), sample(0.1, 0.01)];
  const changed = 10_000_000 - 400_000;
  assert.equal(decide(pool, at(high, { changed })).kind, "out");
  assert.match(JSON.stringify(decide(pool, at(low, { changed }))), /hold.*400 s ago, 900 s are to pass/);
  assert.match(
    JSON.stringify(decide(pool, at(high, { changed: 10_000_000 - 100_000 }))),
    /hold.*100 s ago, 300/,
  );
  assert.match(JSON.stringify(decide(pool, at(high, { size: 15 }))), /hold.*19 is above the most, 15/);
  assert.match(JSON.stringify(decide(pool, at(low, { size: 7 }))), /hold.*is below the least, 7/);
});

test("what a webhook asks for waits for the cool-down, too", () => {
  assert.deepEqual(decide(pool, at([], { asked: "out" })), {
    kind: "out",
    to: 15,
    why: "asked by a webhook",
  });
  assert.equal(decide(pool, at([], { asked: "in", changed: 10_000_000 - 1_000 })).kind, "hold");
});

test("steps are aligned and end at sizes one less than a multiple, from wherever they begin", () => {
  for (const denominator of [2, 3, 4, 5, 10]) {
    const share = { share: { numerator: 1, denominator } };
    for (let size = denominator; size < 60; size++) {
      const up = stepUp(share, size);
      assert.ok(up > size && (up + 1) % denominator === 0);
      const down = stepDown(share, size);
      assert.ok(down < size, `${size} > ${down}`);
      assert.ok(isAligned(share, size, down), `${size} > ${down} at 1/${denominator}`);
      if ((size + 1) % denominator === 0) assert.ok(isAligned(share, size, up), `${size} > ${up}`);
    }
  }
});

test("a configuration that is wrong is told with file, line and place", () => {
  const good =
    "version: 1\nvnf: ims\nprometheus: { url: 'http://p:9090' }\npools:\n  sprout: { min: 7, max: 15 }\n";
  const read = readScalerConfig(good, "scaler.yaml");
  assert.ok(read.kind === "config");
  assert.deepEqual(read.config.pools["sprout"]?.cooldown, { out: 300, in: 900 });
  const cases: readonly [string, RegExp][] = [
    [good.replace("min: 7", "min: 17"), /scaler\.yaml:5.*pools\.sprout\.min.*min is above max/],
    [
      good.replace("max: 15", "max: 15, signals: { l: { query: x, out: 1, in: 2 } }"),
      /signals\.l\.in.*in must be below out/,
    ],
    [good.replace("max: 15", "max: 15, speed: 3"), /speed/],
    [good.replace("http://p:9090", "file:///x"), /prometheus\.url/],
    [good.replace(/prometheus.*\n/, ""), /neither prometheus nor webhook/],
    [good.replace("  sprout: { min: 7, max: 15 }", "  {}"), /no pool/],
    ["version: [", /scaler\.yaml:\d/],
  ];
  for (const [text, expected] of cases) {
    const bad = readScalerConfig(text, "scaler.yaml");
    assert.ok(bad.kind === "bad", text);
    assert.match(
      bad.faults.map((fault) => `${fault.file}:${fault.line} ${fault.at} ${fault.problem}`).join("\n"),
      expected,
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister, registerProcessMetrics } from "@ims/runtime";

const labels = { method: ["REGISTER", "INVITE", "other"], direction: ["in", "out"] } as const;

test("counters count per combination of labels and show on scrape", async () => {
  const register = metricsRegister();
  const requests = register.counter({ name: "ims_sip_requests_total", help: "SIP requests", labels });
  requests.inc({ method: "REGISTER", direction: "in" });
  const bound = requests.bind({ method: "INVITE", direction: "out" });
  bound.inc();
  bound.inc(2);
  assert.equal(requests.value({ method: "INVITE", direction: "out" }), 3);
  assert.equal(requests.total(), 4);
  const lines = (await register.scrape()).split("\n");
  assert.ok(lines.includes("# TYPE ims_sip_requests_total counter"));
  assert.ok(lines.includes('ims_sip_requests_total{direction="in",method="REGISTER"} 1'));
  assert.ok(lines.includes('ims_sip_requests_total{direction="out",method="INVITE"} 3'));
  assert.ok(lines.includes('ims_sip_requests_total{direction="out",method="other"} 0'));
});

test("a value outside of the union counts as other, or is refused where there is no other", () => {
  const register = metricsRegister();
  const requests = register.counter({ name: "a_total", help: "a", labels });
  for (const method of ["FOO", "__proto__", ""]) requests.inc({ method: method as "other", direction: "in" });
  assert.equal(requests.value({ method: "other", direction: "in" }), 3);
  assert.throws(() => requests.inc({ method: "INVITE", direction: "up" as "in" }), RangeError);
});

test("histograms show cumulated buckets, sum and count", async () => {
  const register = metricsRegister();
  const seconds = register.histogram({ name: "d_seconds", help: "d", labels: {}, buckets: [0.1, 0.5, 2] });
  for (const value of [0.05, 0.1, 0.3, 7]) seconds.observe({}, value);
  seconds.bind({}).observe(0.3);
  assert.equal(seconds.count({}), 5);
  const text = await register.scrape();
  const lines = text.split("\n").filter((line) => line.startsWith("d_seconds"));
  assert.deepEqual(lines.slice(0, 4), [
    'd_seconds_bucket{le="0.1"} 2',
    'd_seconds_bucket{le="0.5"} 4',
    'd_seconds_bucket{le="2"} 4',
    'd_seconds_bucket{le="+Inf"} 5',
  ]);
  assert.match(lines[4] ?? "", /^d_seconds_sum 7\.75/);
  assert.equal(lines[5], "d_seconds_count 5");
});

test("histograms keep their series apart and leave out those without observations", async () => {
  const register = metricsRegister();
  const seconds = register.histogram({ name: "d_seconds", help: "d", labels, buckets: [1] });
  seconds.observe({ method: "INVITE", direction: "in" }, 0.5);
  assert.equal(seconds.count({ method: "REGISTER", direction: "in" }), 0);
  const counts = (await register.scrape()).split("\n").filter((line) => line.startsWith("d_seconds_count"));
  assert.deepEqual(counts, ['d_seconds_count{direction="in",method="INVITE"} 1']);
  assert.throws(() => register.histogram({ name: "e", help: "e", labels: {}, buckets: [2, 1] }), RangeError);
});

test("gauges are asked on scrape and a name is taken once", async () => {
  const register = metricsRegister();
  let value = 1;
  register.gauge({ name: "g", help: "g", value: () => value });
  value = 2;
  assert.match(await register.scrape(), /^g 2$/m);
  assert.throws(() => register.gauge({ name: "g", help: "g", value: () => 0 }), /already been registered/);
});

test("CPU, memory and loop delay of the process are there", async (t) => {
  const register = metricsRegister();
  t.after(registerProcessMetrics(register));
  const text = await register.scrape();
  assert.match(text, /^process_cpu_user_seconds_total [0-9.]+$/m);
  assert.match(text, /^process_resident_memory_bytes [1-9]\d+$/m);
  assert.match(text, /^nodejs_eventloop_delay_p99_seconds [0-9.e-]+$/m);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mergedMetrics } from "../../../src/up/workers/merged-metrics.ts";

const told = (calls: number, extra = ""): string => `# HELP ims_calls Calls
# TYPE ims_calls gauge
ims_calls ${calls}

# HELP ims_requests_total Requests {by method}
# TYPE ims_requests_total counter
ims_requests_total{method="INVITE"} ${calls * 2}
ims_requests_total{} 1
${extra}`;

test("each family is there once, with the samples of all workers told apart by a label", () => {
  const merged = mergedMetrics([
    { worker: 1, text: told(3) },
    { worker: 2, text: told(4, '# HELP ims_only Of one\n# TYPE ims_only gauge\nims_only{a="x\\"{y}"} 5\n') },
  ]);
  assert.equal(
    merged,
    `# HELP ims_calls Calls
# TYPE ims_calls gauge
ims_calls{worker="1"} 3
ims_calls{worker="2"} 4

# HELP ims_requests_total Requests {by method}
# TYPE ims_requests_total counter
ims_requests_total{worker="1",method="INVITE"} 6
ims_requests_total{worker="1"} 1
ims_requests_total{worker="2",method="INVITE"} 8
ims_requests_total{worker="2"} 1

# HELP ims_only Of one
# TYPE ims_only gauge
ims_only{worker="2",a="x\\"{y}"} 5
`,
  );
});

test("nobody tells anything: nothing is told", () => {
  assert.equal(mergedMetrics([]), "");
  assert.equal(mergedMetrics([{ worker: 1, text: "" }]), "");
});

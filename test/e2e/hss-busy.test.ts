import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResult, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import { startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

test("RFC 3261 §21.5.4: while the HSS says DIAMETER_TOO_BUSY UEs are told when to come back; whoever comes when it is over is served at once", async (t) => {
  const hss = startNode(t, "hss.example.com");
  let busy = true;
  let asked = 0;
  hss.handle(Uar, () => {
    asked += 1;
    return busy ? { resultCode: ResultCode.TOO_BUSY } : cxResult("ERROR_USER_UNKNOWN");
  });
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const core = await startCore(t, {
    args: ["--no-examples", "--set", `sprout.hss-peer=127.0.0.1:${port}`],
  });
  const ue = await SipUe.open(t, core, { user: "alice" });
  // More than a breaker bears of a server that fails.
  const TIMES = 12;
  for (let n = 0; n < TIMES; n++) {
    const answer = await ue.register();
    assert.equal(answer.status, 503);
    const seconds = Number(answer.header("Retry-After"));
    assert.ok(seconds >= 5 && seconds <= 20, `Retry-After: ${seconds}`);
  }
  assert.equal(asked, TIMES, "each REGISTER is one question");
  busy = false;
  assert.equal((await ue.register()).status, 403);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import type { FakeFlow } from "@ims/sip/testing";
import { getMetrics } from "../../src/metrics.ts";
import { only, PcscfBench, type Sent, SPROUT } from "../support/pcscf-bench.ts";

const SCSCF = `Record-Route: <sip:${SPROUT}:5054;transport=tcp;lr>`;
const requests = (sent: readonly Sent[]): Sent[] => sent.filter((one) => one.message.isRequest);

/** A call of that UE that was answered; its route set. */
function answeredCall(bench: PcscfBench, ue: FakeFlow, callId: string, from = "alice"): string[] {
  const invite = only(requests(bench.request(ue, { callId, from })));
  const own = invite.message.values("Record-Route").map((one) => `Record-Route: ${one}`);
  return only(bench.answer(invite, 200, [SCSCF, ...own]))
    .message.values("Record-Route")
    .reverse();
}

test("TS 32.409, SC.NbrSimulAnsSession: calls count from their answer to their BYE, or until the flow of their UE is gone", async () => {
  const bench = new PcscfBench();
  const register = metricsRegister();
  const { calls } = bench.modules;
  const none = (): number => 0;
  getMetrics(register, {
    ...{ flows: none, registrations: none, serverTransactions: none, clientTransactions: none },
    calls: () => calls.inProgress((flowId) => bench.transport.flow(flowId) !== undefined),
  });
  const shown = async (): Promise<number> =>
    Number(/^ims_bono_calls (\d+)$/m.exec(await register.scrape())?.[1]);
  const [alice, carol] = [bench.ue(40_001, "TCP"), bench.ue(40_002, "TCP")];
  bench.register(alice, "alice");
  bench.register(carol, "carol");
  assert.equal(await shown(), 0);
  const routes = answeredCall(bench, alice, "call1");
  answeredCall(bench, carol, "call2", "carol");
  const refused = only(requests(bench.request(alice, { callId: "call3" })));
  bench.answer(refused, 486);
  assert.equal(await shown(), 2);
  const bye = only(
    bench.request(alice, {
      method: "BYE",
      callId: "call1",
      to: "<sip:bob@example.com>;tag=t1",
      cseq: 2,
      headers: routes.map((route) => `Route: ${route}`),
    }),
  );
  bench.answer(bye, 200);
  assert.equal(await shown(), 1);
  carol.close();
  assert.equal(await shown(), 0);
});

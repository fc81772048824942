import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  createHealth,
  managementServer,
  metricsRegister,
  Trail,
  type TrailContent,
  trailRoute,
} from "@ims/runtime";
import { gather } from "../../src/trail/gather.ts";
import type { TrailNode } from "../../src/trail/trail-node.ts";

interface Node extends TrailNode {
  /** Records a step: what is left out is not said. */
  step(content: Partial<TrailContent> & { title: string }): void;
}

async function node(t: TestContext, name: string, steps = 1_000): Promise<Node> {
  const trail = new Trail({ bytes: 1_000_000, steps, clock: { monotonic: () => performance.now() } });
  const kind = trail.addReader("test", { read: (bytes) => JSON.parse(bytes.toString()) as TrailContent });
  const server = managementServer(
    { address: "127.0.0.1", port: 0 },
    { register: metricsRegister(), health: createHealth(), routes: [trailRoute(name, trail)] },
  );
  await server.start();
  t.after(() => server.stop());
  return {
    name,
    url: `http://127.0.0.1:${server.port}`,
    step: (content) => trail.text(kind, "in", undefined, JSON.stringify({ kind: "sip", ...content })),
  };
}

const ALICE = "sip:alice@example.com";
const IMPI = "001010000000001@ims.example.com";

test("an IMSI leads over the registration to the calls of its public identities, and to what the HSS was asked", async (t) => {
  const [bono, homestead] = [await node(t, "bono"), await node(t, "homestead")];
  bono.step({ title: "REGISTER", method: "REGISTER", callId: "r1", identities: [ALICE, IMPI] });
  homestead.step({ kind: "cx", title: "UAR", method: "UAR", identities: [ALICE, IMPI], session: "s;1" });
  homestead.step({ kind: "cx", title: "UAA 2001", method: "UAA", session: "s;1" });
  bono.step({ title: "INVITE", method: "INVITE", callId: "c1", icid: "i1", identities: [ALICE] });
  bono.step({ title: "INVITE of the server", method: "INVITE", callId: "c2", icid: "i1" });
  bono.step({ title: "BYE of the server", method: "BYE", callId: "c2" });
  bono.step({ title: "INVITE", method: "INVITE", callId: "c9", identities: ["sip:bob@example.com"] });
  const { exchanges, earlier, problems } = await gather([bono, homestead], "001010000000001", {
    last: 5,
    text: false,
  });
  assert.deepEqual([earlier, problems], [0, []]);
  assert.deepEqual(
    exchanges.map(({ callIds }) => callIds),
    [["r1"], ["c1", "c2"]],
  );
  assert.deepEqual(exchanges[0]?.steps.map(({ title }) => title).sort(), ["REGISTER", "UAA 2001", "UAR"]);
  assert.ok(exchanges[1]?.steps.some(({ title }) => title === "BYE of the server"));
  assert.ok(!exchanges[1]?.steps.some(({ title }) => title.startsWith("UA")), "that of the registration");
});

test("a Call-ID leads to that call only; a charging identity too", async (t) => {
  const bono = await node(t, "bono");
  bono.step({ title: "INVITE", method: "INVITE", callId: "c1", icid: "i1", identities: [ALICE] });
  bono.step({ title: "INVITE", method: "INVITE", callId: "c2", icid: "i2", identities: [ALICE] });
  for (const key of ["c1", "i1"]) {
    const { exchanges } = await gather([bono], key, { last: 5, text: false });
    assert.deepEqual(
      exchanges.map(({ callIds }) => callIds),
      [["c1"]],
      key,
    );
  }
});

test("the last ones are shown, the others are counted", async (t) => {
  const bono = await node(t, "bono");
  for (let index = 0; index < 40; index++)
    bono.step({ title: "INVITE", method: "INVITE", callId: `c${index}`, identities: [ALICE] });
  const { exchanges, earlier } = await gather([bono], ALICE, { last: 2, text: false });
  assert.deepEqual([exchanges.map(({ callIds }) => callIds[0]), earlier], [["c38", "c39"], 38]);
});

test("a node that is away or is none is told of, and the others are asked all the same", async (t) => {
  const bono = await node(t, "bono");
  bono.step({ title: "INVITE", method: "INVITE", callId: "c1", identities: [ALICE] });
  const gone = { name: "sprout-2", url: "http://127.0.0.1:1" };
  const { exchanges, problems } = await gather([bono, gone], ALICE, { last: 2, text: false });
  assert.equal(exchanges.length, 1);
  assert.deepEqual(problems, ["sprout-2 does not answer at http://127.0.0.1:1"]);
});

test("nobody knows it: that is said, with how far back anything is kept", async (t) => {
  const { exchanges, oldest } = await gather([await node(t, "bono")], "nobody", { last: 2, text: false });
  assert.deepEqual([exchanges, oldest], [[], undefined]);
});

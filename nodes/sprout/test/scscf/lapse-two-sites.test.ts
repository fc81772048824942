import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { RegistrationListener } from "../../src/scscf/modules.ts";
import { Bench } from "../support/bench.ts";
import { FakeCx } from "../support/fake-cx.ts";
import { type Site, Sites } from "../support/sites.ts";

interface World {
  readonly sites: Sites;
  readonly cx: FakeCx;
  /** "registered" and "gone" as the listeners of both sites heard them. */
  readonly told: string[];
  /** A sprout at that site. */
  start(site: Site): Bench;
  /** SAR sent since the last look. */
  assigned(): string[];
  run(seconds: number): Promise<void>;
}

function world(t: TestContext): World {
  const sites = new Sites(t);
  const cx = new FakeCx();
  cx.subscribers.push({ impi: "alice@example.com", impus: ["sip:alice@example.com"] });
  const told: string[] = [];
  const listener: RegistrationListener = {
    registered: (_, initial) => void told.push(initial ? "registered" : "changed"),
    deregistered: () => void told.push("gone"),
  };
  return {
    sites,
    cx,
    told,
    start(site) {
      const { clock } = sites;
      const { store, durable } = site;
      const bench = new Bench({ listeners: [listener], shared: { clock, cx, store, durable } });
      bench.entities.start();
      t.after(() => void bench.entities.stop());
      return bench;
    },
    assigned: () => cx.taken().filter((one) => one.startsWith("SAR")),
    async run(seconds) {
      for (let s = 0; s < seconds; s++) await sites.clock.advanceAsync(1_000);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("TS 24.229 §5.4.1.4: what lapses is ended by the site that wrote it last, once, to the second", async (t) => {
  const { sites, told, start, assigned, run } = world(t);
  const [a] = [start(sites.a), start(sites.b)];
  await run(60);
  await a.registered({ callId: "one", expires: 120 });
  assert.deepEqual(assigned(), ["SAR REGISTRATION"]);
  await run(119);
  assert.deepEqual(assigned(), []);
  await run(3);
  assert.deepEqual(assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  await run(600);
  assert.deepEqual(assigned(), []);
  assert.deepEqual(told, ["registered", "gone"]);
});

test("refreshed at the other site just before it lapses: the first site, told of nothing yet, ends nothing", async (t) => {
  const { sites, told, start, assigned, run } = world(t);
  const [a, b] = [start(sites.a), start(sites.b)];
  await run(60);
  await a.registered({ callId: "one", expires: 120 });
  await run(119);
  await sites.clock.advanceAsync(800);
  await b.registered({ callId: "one", expires: 600, cseq: 1_000 });
  assigned();
  await run(590);
  assert.deepEqual(assigned(), []);
  await run(15);
  assert.deepEqual(assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  assert.deepEqual(told.slice(-1), ["gone"]);
});

test("the site that wrote it last is gone: the other one ends what has lapsed three minutes later, and it stays ended when the first is back", async (t) => {
  const { sites, told, start, assigned, run } = world(t);
  const [a] = [start(sites.a), start(sites.b)];
  await run(60);
  await a.registered({ callId: "one", expires: 120 });
  await run(10);
  void a.entities.stop();
  sites.a.forget();
  sites.connected = false;
  assigned();
  await run(280);
  assert.deepEqual(assigned(), []);
  await run(30);
  assert.deepEqual(assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  sites.connect();
  start(sites.a);
  await run(300);
  assert.deepEqual(assigned(), []);
  assert.deepEqual(told, ["registered", "gone"]);
});

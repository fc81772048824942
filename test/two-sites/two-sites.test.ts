import assert from "node:assert/strict";
import { test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { whyNoCassandra } from "../support/cassandra.ts";
import { memcachedMissing } from "../support/memcached.ts";
import { SipUe } from "../support/sip-ue.ts";
import { launchTwoSites } from "../support/two-sites.ts";

const why = whyNoCassandra() ?? memcachedMissing() ?? undefined;
if (why !== undefined && process.env["CI"] === "true") throw new Error(why);

const ALICE = "6505550000";
const BOB = "6505550001";

async function call(from: SipUe, to: SipUe): Promise<void> {
  const established = await establish(from, to, to.impu);
  from.send(established.inDialog("caller", "BYE"));
  reply(to, await to.incoming("BYE"), 200);
  assert.equal((await from.final("BYE")).status, 200);
}

const uriOf = (ue: SipUe): string => ue.contact.replace(/^<|>$/g, "");

test("a site is killed with all it has: its subscriber is called and registers at the other site, and the site that is back knows nothing older", {
  skip: why ?? false,
}, async (t) => {
  const { east, west, stop } = await launchTwoSites();
  t.after(stop);
  const alice = await SipUe.open(t, east.edge, { user: ALICE });
  const bob = await SipUe.open(t, west.edge, { user: BOB });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  // Both sites serve both subscribers.
  await call(bob, alice);
  await call(alice, bob);
  for (const site of [east, west]) assert.deepEqual(await site.contacts(alice.impu), [uriOf(alice)]);

  await east.kill();
  let began = performance.now();
  // Her registration is read from the rows, and her flow served by the bono of the other site.
  await call(bob, alice);
  t.diagnostic(`called ${Math.round(performance.now() - began)} ms after the site was killed`);
  const moved = await SipUe.open(t, west.edge, { user: ALICE });
  assert.equal((await moved.register({ contact: alice.contact, expires: 0 })).status, 200);
  assert.deepEqual(await west.contacts(alice.impu), []);
  assert.equal((await moved.register()).status, 200);
  assert.deepEqual(await west.contacts(alice.impu), [uriOf(moved)]);
  await call(bob, moved);
  await call(moved, bob);

  began = performance.now();
  await east.start();
  t.diagnostic(`the site is back after ${Math.round(performance.now() - began)} ms`);
  // Its Cassandra node has missed the changes, and hints may be on their way still.
  assert.deepEqual(await east.contacts(alice.impu), [uriOf(moved)]);
  const visitor = await SipUe.open(t, east.edge, { user: BOB });
  assert.equal((await visitor.register()).status, 200);
  await call(visitor, moved);
  // She comes back, and the other site hears of it.
  const back = await SipUe.open(t, east.edge, { user: ALICE });
  assert.equal((await back.register({ contact: moved.contact, expires: 0 })).status, 200);
  assert.equal((await back.register()).status, 200);
  for (let tries = 0; tries < 50 && (await west.contacts(alice.impu)).join() !== uriOf(back); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (const site of [west, east]) assert.deepEqual(await site.contacts(alice.impu), [uriOf(back)]);
  await call(visitor, back);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceModules } from "@ims/runtime";
import { Trail } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import { memoryStore } from "@ims/store";
import { withTrail } from "../src/store-trail.ts";
import { type Bench, SCSCF } from "./support/bench.ts";
import { chainBench, fromAlice, ifc, method, only, serverAt, sessionCase } from "./support/chain.ts";
import { ALICE, BOB_URI, bars, calls, diverting, forwardTo, mmtelBench } from "./support/mmtel.ts";
import { numbersBench } from "./support/numbers.ts";

/** Decisions about all calls of Alice, without hops between entities. */
async function decisions(b: Bench): Promise<string[]> {
  const { steps } = await b.trail.find({ keys: ["icid-of-all", "abc"], limit: 500, text: false });
  const calls = [...new Set(steps.flatMap(({ callId }) => callId ?? []))];
  const said: string[] = [];
  for (const callId of calls) said.push(...(await b.decisions(callId)));
  return said.filter((title) => !title.startsWith("hop"));
}

function has(said: readonly string[], pattern: RegExp): void {
  assert.ok(
    said.some((title) => pattern.test(title)),
    `${pattern} in\n${said.join("\n")}`,
  );
}

test("TS 24.229 §5.3.1.2: which S-CSCF was chosen for whom, and who challenged", async () => {
  const b = await chainBench({});
  const said = await decisions(b);
  has(
    said,
    /^S-CSCF: entity I-CSCF, name sip:127\.0\.0\.1:5054;transport=tcp, chosenBy (the HSS|capabilities), impi alice@example\.com, impu sip:alice@example\.com$/,
  );
  has(said, /^answer: entity S-CSCF, status 401$/);
});

test("TS 24.229 §5.4.3.2: the filter criteria that a request met, and what became of a server that failed", async () => {
  const b = await chainBench({
    alice: [
      ifc(7001, { priority: 3, when: [method("INVITE"), sessionCase(0)], defaultHandling: "continue" }),
    ],
  });
  const asked = only(await fromAlice(b));
  await b.send(b.answer(asked, 500), b.dialled(7001));
  const said = await decisions(b);
  const server = serverAt(7001).replaceAll(".", "\\.");
  has(
    said,
    new RegExp(
      `^iFC: entity S-CSCF, server ${server}, priority 3, sessionCase originating registered, servedUser ${ALICE}, defaultHandling continue$`,
    ),
  );
  has(
    said,
    new RegExp(`^default handling: .*server ${server}, status 500, silent false, defaultHandling continue$`),
  );
});

test("what ENUM answered, and which route the BGCF took", async () => {
  const routes = [{ number: "+1", route: ["sip:192.0.2.70:5070;transport=tcp"] }];
  const { bench } = await numbersBench({ enum: { "+15550002": "!^.*$!sip:bob@example.com!" }, routes });
  for (const uri of ["tel:+15550002", "tel:+15559999", "tel:+495550003"])
    await bench.exchange(
      bench.request("MESSAGE", {
        uri,
        headers: [`Route: <${SCSCF};lr;orig>`, `P-Asserted-Identity: <${ALICE}>`],
      }),
      bench.toScscf,
    );
  const said = await decisions(bench);
  has(said, /^ENUM: entity S-CSCF, asked tel:\+15550002, answer sip:bob@example\.com$/);
  has(said, /^ENUM: entity S-CSCF, asked tel:\+15559999, answer not known$/);
  has(said, /^BGCF: entity BGCF, target tel:\+15559999, route <?sip:192\.0\.2\.70:5070;transport=tcp/);
  has(said, /^BGCF: entity BGCF, target tel:\+495550003, route none$/);
  has(said, /^answer: entity BGCF, status 404, reason Not Found \(no route\)$/);
});

test("TS 24.604, TS 24.611: diversions and barring, with whose service it was", async () => {
  const diverted = await mmtelBench({ simservs: { [BOB_URI]: diverting(forwardTo(ALICE)) } });
  await calls(diverted);
  has(
    await decisions(diverted),
    new RegExp(`^diversion: entity AS, .*servedUser ${BOB_URI}, target ${ALICE}, cause 302$`),
  );
  const barred = await mmtelBench({ simservs: { [ALICE]: { outgoingBarring: bars([]) } } });
  await calls(barred);
  has(await decisions(barred), new RegExp(`^barring of outgoing calls: entity AS, .*servedUser ${ALICE}$`));
  const rejected = await mmtelBench({ simservs: { [BOB_URI]: { incomingBarring: bars([]) } } });
  await calls(rejected);
  has(
    await decisions(rejected),
    new RegExp(`^barring of incoming calls: entity AS, .*servedUser ${BOB_URI}, verdict`),
  );
});

test("a store that is away is told of with the user it was asked about, never with a nonce", async () => {
  const clock = fakeClock();
  const trail = new Trail({ bytes: 10_000, steps: 10, clock, origin: () => 0 });
  const cause = new Error("away");
  const store = Object.assign(memoryStore({ clock }), {
    get: async () => ({ kind: "unavailable", cause }) as const,
  });
  const done = async (): Promise<void> => undefined;
  const modules: Pick<ServiceModules, "trail" | "clock"> = { trail, clock };
  const stores = withTrail({ store, clock, start: done, stop: done }, modules);
  await stores.store.get("challenge", "alice@example.com\nsecret-nonce");
  const { steps } = await trail.find({ keys: ["alice@example.com"], limit: 10, text: true });
  assert.deepEqual(
    steps.map(({ kind, title }) => `${kind} ${title}`),
    ["store get: table challenge, outcome unavailable, ms 0"],
  );
  assert.ok(!JSON.stringify(steps).includes("secret-nonce"));
  const without = { store, clock, start: done, stop: done };
  assert.equal(withTrail(without, { clock }), without);
});

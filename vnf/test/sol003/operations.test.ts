import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, Run } from "../../src/lcm/outcome.ts";
import type { Cloud } from "../../src/openstack/cloud.ts";
import { OpenStackSession } from "../../src/openstack/session.ts";
import {
  healSol003,
  instantiateSol003,
  onboardPackage,
  scaleSol003,
  terminateSol003,
} from "../../src/sol003/operations.ts";
import { vimConnection } from "../../src/sol003/vim-connection.ts";
import { Vnfm } from "../../src/sol003/vnfm.ts";
import { FakeVnfm } from "../../testing/fake-vnfm.ts";

const CLOUD: Cloud = {
  name: "test",
  authUrl: "http://keystone/v3",
  credentials: {
    kind: "password",
    user: { name: "operator", domain: { name: "Default" } },
    password: "hush",
    scope: { kind: "project", name: "ims", domain: { name: "Default" } },
  },
  region: "one",
  interface: "public",
  verify: true,
};

function setUp(): { fake: FakeVnfm; vnfm: Vnfm; run: Run; said: string[] } {
  const fake = new FakeVnfm();
  let now = 0;
  const pace = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const said: string[] = [];
  const vnfm = new Vnfm(new OpenStackSession(CLOUD, { pace, http: fake }));
  return { fake, vnfm, said, run: { pace, progress: (line) => said.push(line), timeoutMs: 600_000 } };
}

function isDone(outcome: Outcome): void {
  assert.equal(outcome.kind, "done", JSON.stringify(outcome));
}

function reasonOf(outcome: Outcome): string {
  assert.ok(outcome.kind === "failed", JSON.stringify(outcome));
  return `${outcome.reason} | ${outcome.exists.join(", ")} | ${outcome.next.join(", ")}`;
}

const vim = vimConnection(CLOUD);
assert.ok(vim.kind === "vim");
const REQUEST = {
  name: "ims-1",
  vnfdId: "vnfd-1",
  flavour: "ha",
  vim: vim.vim,
  parameters: { home_domain: "example.com" },
};

test("SOL 003: a package is onboarded once, an instance instantiated, scaled step by step, healed and terminated, nothing is left", async () => {
  const { fake, vnfm, run, said } = setUp();
  isDone(await onboardPackage(vnfm, Buffer.from("zip"), "vnfd-1", run));
  const again = await onboardPackage(vnfm, Buffer.from("zip"), "vnfd-1", run);
  assert.ok(again.kind === "done" && !again.changed);
  assert.equal(fake.packages.size, 1);
  isDone(await instantiateSol003(vnfm, REQUEST, run));
  const given = fake.bodies[0]?.["additionalParams"] as Record<string, unknown>;
  assert.deepEqual(given["tidewater"], {
    parameters: { home_domain: "example.com" },
  });
  const twice = await instantiateSol003(vnfm, REQUEST, run);
  assert.ok(twice.kind === "done" && !twice.changed);
  isDone(await scaleSol003(vnfm, "ims-1", "bono", 2, run));
  isDone(await scaleSol003(vnfm, "ims-1", "bono", 0, run));
  const steps = fake.bodies.filter((body) => body["aspectId"] === "bono");
  assert.deepEqual(
    steps.map((body) => [body["type"], body["numberOfSteps"]]),
    [
      ["SCALE_OUT", 1],
      ["SCALE_OUT", 1],
      ["SCALE_IN", 1],
      ["SCALE_IN", 1],
    ],
  );
  isDone(await healSol003(vnfm, "ims-1", ["bono-vnfc-0"], "vnfc_failed", run));
  isDone(await terminateSol003(vnfm, "ims-1", 30, run));
  assert.deepEqual(fake.bodies.at(-1), { terminationType: "GRACEFUL", gracefulTerminationTimeout: 30 });
  assert.equal(fake.instances.size, 0);
  const gone = await terminateSol003(vnfm, "ims-1", 0, run);
  assert.ok(gone.kind === "done" && !gone.changed);
  assert.ok(said.includes("SCALE COMPLETED"));
  assert.ok(!said.join("\n").includes("hush"));
});

test("a package that is not accepted, or does not arrive, leaves nothing behind", async () => {
  const { fake, vnfm, run } = setUp();
  fake.refusesPackages = true;
  assert.match(
    reasonOf(await onboardPackage(vnfm, Buffer.from("zip"), "vnfd-1", run)),
    /was not accepted: .* \| tidewater vnf validate/s,
  );
  assert.equal(fake.packages.size, 0);
  fake.fault = { on: /PUT .*package_content/, status: 413 };
  assert.match(reasonOf(await onboardPackage(vnfm, Buffer.from("zip"), "vnfd-1", run)), /413/);
  assert.equal(fake.packages.size, 0);
});

test("an operation that stops half way is told with its reason and how to decide it; nothing new is begun before; then the same command goes on", async () => {
  const { fake, vnfm, run } = setUp();
  fake.nextFails = "No valid host was found";
  const first = reasonOf(await instantiateSol003(vnfm, REQUEST, run));
  assert.match(
    first,
    /INSTANTIATE FAILED_TEMP: No valid host was found .*operation-\d+, undecided .*decide operation-\d+ rollback/,
  );
  assert.equal(reasonOf(await instantiateSol003(vnfm, REQUEST, run)), first);
  assert.equal(fake.bodies.length, 1);
  await vnfm.decide([...fake.occurrences.keys()][0] ?? "", "fail");
  isDone(await instantiateSol003(vnfm, REQUEST, run));
  assert.equal(fake.instances.size, 1);
});

test("what was begun before is waited for, not begun twice", async () => {
  const { fake, vnfm, run, said } = setUp();
  isDone(await instantiateSol003(vnfm, REQUEST, run));
  const [instance = ""] = fake.instances.keys();
  await vnfm.begin(instance, {
    task: "scale",
    body: { type: "SCALE_OUT", aspectId: "bono", numberOfSteps: 1 },
  });
  isDone(await scaleSol003(vnfm, "ims-1", "bono", 1, run));
  assert.equal(fake.bodies.filter((body) => body["aspectId"] === "bono").length, 1);
  assert.ok(said.includes("waiting for SCALE, begun before"));
});

test("what cannot be is told: no instance, no aspect, a level too high, a member that is not there, an operation that takes too long", async () => {
  const { vnfm, run } = setUp();
  assert.match(reasonOf(await scaleSol003(vnfm, "none", "bono", 1, run)), /there is no none/);
  isDone(await instantiateSol003(vnfm, REQUEST, run));
  assert.match(
    reasonOf(await scaleSol003(vnfm, "ims-1", "homer", 1, run)),
    /no scaling aspect homer; it has bono/,
  );
  assert.match(reasonOf(await scaleSol003(vnfm, "ims-1", "bono", 3, run)), /scale levels 0 to 2, not 3/);
  assert.match(reasonOf(await healSol003(vnfm, "ims-1", ["bono-y"], "vnfc_failed", run)), /no VNFC bono-y/);
  assert.match(
    reasonOf(await scaleSol003(vnfm, "ims-1", "bono", 1, { ...run, timeoutMs: 1 })),
    /still (?:STARTING|PROCESSING).*operation-\d+.*waits on/s,
  );
});

test("a VNF manager is told user, password and project; credentials of another kind are refused with what to give", () => {
  assert.deepEqual(vim.vim, {
    vimType: "ETSINFV.OPENSTACK_KEYSTONE.V_3",
    interfaceInfo: { endpoint: "http://keystone/v3" },
    accessInfo: {
      username: "operator",
      password: "hush",
      region: "one",
      project: "ims",
      userDomain: "Default",
      projectDomain: "Default",
    },
  });
  const other = vimConnection({
    ...CLOUD,
    credentials: { kind: "applicationCredential", id: "a", secret: "b" },
  });
  assert.ok(other.kind === "bad" && /password/.test(other.problem));
});

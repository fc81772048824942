import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ProvisioningClient, ProvisioningError } from "@ims/api";
import { Ppr, Rtr } from "@ims/diameter/cx";
import { memoryLogger } from "@ims/runtime/testing";
import { provisioningServer } from "../../src/http/provisioning-server.ts";
import { type CxUnderTest, SCSCF, startCx } from "../cx/cx-under-test.ts";

type ApiUnderTest = { readonly cx: CxUnderTest; readonly url: string; readonly client: ProvisioningClient };

async function startApi(t: TestContext): Promise<ApiUnderTest> {
  const cx = await startCx(t);
  const http = provisioningServer(
    { address: "127.0.0.1", port: 0, token: undefined, realm: "example.com" },
    { subscribers: cx.hss, node: cx.server, servers: cx.servers, log: memoryLogger("silent") },
  );
  await http.start();
  t.after(() => http.stop());
  const url = `http://127.0.0.1:${http.port}`;
  return { cx, url, client: new ProvisioningClient(url) };
}

const alice = {
  impi: "alice@example.com",
  publicIdentities: [{ impu: "sip:alice@example.com" }, { impu: "tel:+16505550000", barred: true }],
  credentials: {
    password: "s3cret-word",
    k: "465b5ce8b199b49faa5f0a2ee238a6bc",
    op: "cdc202d5123e20f62b6d676ac72cb318",
  },
};

async function refusedWith(promise: Promise<unknown>, status: number): Promise<string> {
  let detail = "";
  await assert.rejects(promise, (error) => {
    if (!(error instanceof ProvisioningError) || error.detail.code !== "PROVISIONING_REFUSED") return false;
    detail = error.detail.detail;
    return error.detail.status === status;
  });
  return detail;
}

test("a subscriber is added, shown, changed and deleted, and no answer holds a secret", async (t) => {
  const { cx, client, url } = await startApi(t);
  const added = await client.add(alice);
  assert.deepEqual(added, {
    impi: "alice@example.com",
    publicIdentities: [
      { impu: "sip:alice@example.com", barred: false, state: "not-registered" },
      { impu: "tel:+16505550000", barred: true, state: "not-registered" },
    ],
    authentication: ["digest", "aka"],
  });
  // TS 35.208 §4.3.1: OP of the test set gives its OPc.
  const { aka } = cx.hss.byPrivateIdentity("alice@example.com")?.credentials ?? {};
  assert.equal(Buffer.from(aka?.opc ?? []).toString("hex"), "cd63cb71954a9f4e48a5994e37a02baf");
  await cx.register();
  const shown = await client.get("alice@example.com");
  assert.deepEqual(shown.publicIdentities[0], {
    impu: "sip:alice@example.com",
    barred: false,
    state: "registered",
    serverName: SCSCF,
  });
  const text = await (await fetch(`${url}/subscribers`)).text();
  for (const secret of ["s3cret", "465b5ce8", "cd63cb71", "ha1"])
    assert.equal(text.includes(secret), false, secret);
  const changed = await client.update("alice@example.com", { credentials: { password: "other" } });
  assert.deepEqual(changed.authentication, ["digest"]);
  await client.delete("alice@example.com");
  await refusedWith(client.get("alice@example.com"), 404);
  await refusedWith(client.delete("alice@example.com"), 404);
});

test("TS 29.228 §6.2.1: a changed identity is pushed to the S-CSCF of a registered user", async (t) => {
  const { cx, client } = await startApi(t);
  const pushed: string[] = [];
  cx.cscf.handle(Ppr, ({ avps }) => {
    pushed.push(avps.userData ?? "");
    return { resultCode: 2001 };
  });
  await client.add(alice);
  await client.update("alice@example.com", { publicIdentities: [{ impu: "sip:alice@example.com" }] });
  assert.equal(pushed.length, 0);
  await cx.register();
  await client.update("alice@example.com", {
    publicIdentities: [{ impu: "sip:alice@example.com" }, { impu: "tel:+1" }],
  });
  assert.equal(pushed.length, 1);
  assert.match(pushed[0] ?? "", /<Identity>tel:\+1<\/Identity>/);
});

test("TS 29.228 §6.1.3.1: deregistering and deleting send RTR to the S-CSCF that serves the user", async (t) => {
  const { cx, client } = await startApi(t);
  const terminated: (readonly [string, number, readonly string[] | undefined])[] = [];
  cx.cscf.handle(Rtr, ({ avps }) => {
    terminated.push([avps.userName, avps.deregistrationReason.reasonCode, avps.publicIdentity]);
    return { resultCode: 2001 };
  });
  await client.add(alice);
  await client.deregister("alice@example.com");
  assert.equal(terminated.length, 0);
  await cx.register();
  await client.deregister("alice@example.com");
  assert.deepEqual(terminated, [["alice@example.com", 0, ["sip:alice@example.com", "tel:+16505550000"]]]);
  assert.equal((await client.get("alice@example.com")).publicIdentities[0]?.state, "not-registered");
  await cx.register();
  await client.deregister("alice@example.com", { reason: "SERVER_CHANGE" });
  assert.equal(terminated[1]?.[1], 2);
  await assert.rejects(
    client.deregister("alice@example.com", { reason: "BOREDOM" as "SERVER_CHANGE" }),
    /reason/,
  );
  await cx.register();
  await client.delete("alice@example.com");
  assert.equal(terminated.length, 3);
});

test("TS 29.228 annex E: filter criteria and capabilities are provisioned, served in the profile, and taken away", async (t) => {
  const { cx, client } = await startApi(t);
  const applicationServer = { serverName: "sip:as.example.com" };
  const pattern = { kind: "requestUri" as const, pattern: "^sip:9" };
  const services = {
    initialFilterCriteria: [
      {
        priority: 5,
        trigger: { form: "cnf" as const, groups: [[{ condition: pattern }]] },
        applicationServer,
      },
    ],
    capabilities: { mandatory: [8] },
    resourcePriorities: ["ets.1"],
  };
  const added = await client.add({ ...alice, services });
  assert.deepEqual(added.services, {
    initialFilterCriteria: [
      {
        priority: 5,
        trigger: { form: "cnf", groups: [[{ negated: false, condition: pattern }]] },
        applicationServer: {
          ...applicationServer,
          defaultHandling: "continue",
          includeRegisterRequest: false,
          includeRegisterResponse: false,
        },
      },
    ],
    sharedIfcSetIds: [],
    capabilities: { mandatory: [8], optional: [], serverNames: [] },
    resourcePriorities: ["ets.1"],
  });
  assert.deepEqual((await cx.uar()).serverCapabilities?.mandatoryCapability, [8]);
  await cx.mar();
  const userData = (await cx.sar("REGISTRATION")).userData ?? "";
  assert.match(userData, /<RequestURI>\^sip:9<\/RequestURI>/);
  assert.match(userData, /<PriorityNamespace>ets<\/PriorityNamespace><PriorityLevel>1<\/PriorityLevel>/);
  const changed = await client.update("alice@example.com", { services: {} });
  assert.equal(changed.services, undefined);
  assert.doesNotMatch((await cx.sar("RE_REGISTRATION")).userData ?? "", /InitialFilterCriteria/);
  const bad = { condition: { kind: "requestUri" as const, pattern: "(" } };
  for (const initialFilterCriteria of [
    [{ priority: 1, applicationServer, trigger: { form: "cnf" as const, groups: [[bad]] } }],
    [
      { priority: 1, applicationServer },
      { priority: 1, applicationServer },
    ],
    [{ priority: 1, applicationServer: { serverName: "http://x" } }],
  ]) {
    assert.match(
      await refusedWith(client.update("alice@example.com", { services: { initialFilterCriteria } }), 400),
      /services/,
    );
  }
});

test("RFC 9457: what is wrong is said, without a stack and without the secret", async (t) => {
  const { client, url } = await startApi(t);
  await client.add(alice);
  assert.match(await refusedWith(client.add(alice), 409), /exists already/);
  assert.match(
    await refusedWith(client.add({ ...alice, impi: "bob@example.com" }), 409),
    /sip:alice@example.com belongs to alice@example.com/,
  );
  const bad: [object, RegExp][] = [
    [{ ...alice, impi: "alice" }, /impi/],
    [{ ...alice, impi: "b@c", publicIdentities: [] }, /publicIdentities/],
    [{ ...alice, impi: "b@c", publicIdentities: [{ impu: "tel:5550000" }] }, /neither/],
    [{ ...alice, impi: "b@c", publicIdentities: [{ impu: "sip:!(!@c" }] }, /neither/],
    [{ ...alice, impi: "b@c", publicIdentities: [{ impu: "sip:b@c" }, { impu: "sip:b@C" }] }, /twice/],
    [{ ...alice, impi: "b@c", credentials: {} }, /password/],
    [{ ...alice, impi: "b@c", credentials: { k: "zz", opc: "00" } }, /hexadecimal/],
    [{ ...alice, impi: "b@c", extra: 1 }, /extra/],
  ];
  for (const [given, expected] of bad) {
    assert.match(await refusedWith(client.add(given as typeof alice), 400), expected);
  }
  const json = { "content-type": "application/json" };
  for (const [path, init, status] of [
    ["/subscribers", { method: "POST", headers: json, body: "{" }, 400],
    ["/subscribers", { method: "POST", headers: json, body: '{"__proto__":{"a":1}}' }, 400],
    ["/subscribers", { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }, 415],
    ["/subscribers?limit=0", {}, 400],
    ["/nothing", {}, 404],
    ["/subscribers", { headers: { origin: "http://evil.example" } }, 403],
    ["/subscribers/__proto__", {}, 404],
    ["/subscribers", { method: "POST", headers: json, body: `"${"x".repeat(9_000_000)}"` }, 413],
  ] as const) {
    const response = await fetch(url + path, init);
    assert.equal(response.status, status, path);
    assert.match(response.headers.get("content-type") ?? "", /application\/problem\+json/);
    const problem = (await response.json()) as { status: number; detail: string };
    assert.equal(problem.status, status);
    assert.doesNotMatch(problem.detail, /at .*\.ts/);
  }
});

test("an import reports wrong rows by index and applies all, none, or the good ones", async (t) => {
  const { cx, client } = await startApi(t);
  const row = (name: string) => ({
    ...alice,
    impi: `${name}@example.com`,
    publicIdentities: [{ impu: `sip:${name}@example.com` }],
  });
  const rows = [row("a"), row("b"), row("a"), { impi: "c@example.com" }, 7];
  const wrong = [2, 3, 4];
  for (const [options, applied, size] of [
    [{ dryRun: true, partial: true }, 0, 0],
    [{ dryRun: false, partial: false }, 0, 0],
    [{ dryRun: false, partial: true }, 2, 2],
  ] as const) {
    const report = await client.import(rows, options);
    assert.deepEqual(
      report.rows.map(({ index }) => index),
      wrong,
    );
    assert.equal(report.applied, applied);
    assert.equal(cx.hss.size, size);
  }
  assert.equal((await client.import([row("d"), row("e")], { dryRun: false, partial: false })).applied, 2);
});

test("an import does not hold up calls, and a state that changes meanwhile outlives its rollback", async (t) => {
  const { cx, client } = await startApi(t);
  await client.add(alice);
  const rows = Array.from({ length: 2000 }, (_, i) => ({
    ...alice,
    impi: `u${i}@x.y`,
    publicIdentities: [{ impu: `sip:u${i}@x.y` }],
  }));
  const importing = client.import([...rows, 7], { dryRun: false, partial: false });
  await cx.register();
  const added = client.add({ ...alice, impi: "later@x.y", publicIdentities: [{ impu: "sip:later@x.y" }] });
  assert.equal((await importing).applied, 0);
  await added;
  assert.equal(cx.hss.size, 2);
  assert.equal((await client.get("alice@example.com")).publicIdentities[0]?.state, "registered");
});

test("public identities are added and taken away one by one, whoever does the same meanwhile", async (t) => {
  const { client, cx } = await startApi(t);
  await client.add(alice);
  await client.add({ ...alice, impi: "bob@x.y", publicIdentities: [{ impu: "sip:bob@x.y" }] });
  const impus = async () =>
    (await client.get(alice.impi)).publicIdentities.map(({ impu, barred }) => (barred ? `(${impu})` : impu));
  await Promise.all(
    ["sip:a@x.y", "sip:b@x.y", "sip:c@x.y"].map((impu) =>
      client.update(alice.impi, { addPublicIdentities: [{ impu }] }),
    ),
  );
  assert.deepEqual((await impus()).sort(), [
    "(tel:+16505550000)",
    "sip:a@x.y",
    "sip:alice@example.com",
    "sip:b@x.y",
    "sip:c@x.y",
  ]);
  const changed = await client.update(alice.impi, {
    addPublicIdentities: [{ impu: "tel:+1-650-555-0000" }, { impu: "sip:a@X.Y", barred: true }],
    removePublicIdentities: ["sip:B@x.y", "sip:b@x.y", "sip:c@X.y", "sip:nobody@x.y"],
  });
  assert.equal(changed.publicIdentities.length, 3);
  assert.deepEqual(await impus(), ["sip:alice@example.com", "tel:+16505550000", "(sip:a@x.y)"]);
  assert.equal(cx.hss.byPublicIdentity("sip:b@x.y"), undefined);
  await refusedWith(client.update(alice.impi, { addPublicIdentities: [{ impu: "sip:bob@x.y" }] }), 409);
  const all = await impus();
  const none = { removePublicIdentities: ["sip:alice@example.com", "tel:+16505550000", "sip:a@x.y"] };
  assert.match(await refusedWith(client.update(alice.impi, none), 400), /one has to stay/);
  const both = { ...none, publicIdentities: [{ impu: "sip:alice@example.com" }] };
  assert.match(await refusedWith(client.update(alice.impi, both), 400), /not both/);
  const many = Array.from({ length: 62 }, (_, index) => ({ impu: `sip:${index}@x.y` }));
  assert.match(
    await refusedWith(client.update(alice.impi, { addPublicIdentities: many }), 400),
    /64 at most/,
  );
  assert.deepEqual(await impus(), all);
});

test("OpenAPI 3.1: the contract is served and names every route", async (t) => {
  const { url } = await startApi(t);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, object>;
  };
  assert.equal(document.openapi, "3.1.0");
  const paths = Object.keys(document.paths);
  assert.deepEqual(paths.slice(0, 7), [
    "/subscribers",
    "/subscribers/{impi}",
    "/subscribers/{impi}/deregister",
    "/subscribers/{impi}/verify-digest",
    "/subscribers/{impi}/compare-aka",
    "/public-identities/{impu}",
    "/subscribers/import",
  ]);
  // Each operation is a route: whatever it says of what is not there, it does not say that it is no resource.
  for (const path of paths.slice(7))
    for (const method of ["get", "put", "post", "delete"].filter((one) =>
      Object.hasOwn(document.paths[path] ?? {}, one),
    )) {
      const answer = await fetch(`${url}${path.replaceAll(/\{\w+\}/g, "x")}`, { method, redirect: "manual" });
      assert.doesNotMatch(await answer.text(), /No such resource/, `${method} ${path}`);
    }
  assert.ok(paths.includes("/irs/{irs}/service_profiles/{profile}/filter_criteria"));
});

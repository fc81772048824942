import assert from "node:assert/strict";
import { test } from "node:test";
import { refusedWith, startApi } from "./api-under-test.ts";

const K = "465b5ce8b199b49faa5f0a2ee238a6bc";
const OPC = "cd63cb71954a9f4e48a5994e37a02baf";
const KEEP = { dryRun: false, partial: false, existing: "keep" } as const;

const row = (name: string, credentials: object = { k: K, opc: OPC }) => ({
  ...{ impi: `${name}@example.com`, publicIdentities: [{ impu: `sip:${name}@example.com` }], credentials },
});

test("rows whose subscriber is there as they say may be imported again; one that is there with something else is wrong", async (t) => {
  const { client, cx } = await startApi(t);
  const rows = [row("a"), row("b", { password: "x", k: K, op: OPC }), row("c", { password: "x" })];
  assert.deepEqual(await client.import(rows, KEEP), { applied: 3, unchanged: 0, rows: [] });
  await client.update("a@example.com", { services: { sharedIfcSetIds: [1] } });
  await client.update("a@example.com", { credentials: { sqn: "000000000040" } });
  for (const dryRun of [true, false])
    assert.deepEqual(await client.import(rows, { ...KEEP, dryRun }), { applied: 0, unchanged: 3, rows: [] });
  const others = [
    { ...row("a"), publicIdentities: [{ impu: "sip:a@example.com", barred: true }] },
    row("b", { password: "y", k: K, op: OPC }),
    row("c", { k: K, opc: OPC }),
    { ...row("a"), services: { sharedIfcSetIds: [2] } },
    row("d"),
  ];
  const report = await client.import(others, KEEP);
  assert.deepEqual([report.applied, report.unchanged], [0, 0]);
  assert.deepEqual(
    report.rows.map(({ index, error }) => `${index}: ${error}`),
    [
      "0: a@example.com exists already, with other identities",
      "1: b@example.com exists already, with other credentials",
      "2: c@example.com exists already, with other credentials",
      "3: a@example.com exists already, with other services",
    ],
  );
  assert.equal(cx.hss.size, 3);
  assert.deepEqual(await client.import([...rows, row("d")], KEEP), { applied: 1, unchanged: 3, rows: [] });
  const refused = await client.import(rows, { dryRun: false, partial: false });
  assert.deepEqual([refused.rows.length, refused.unchanged], [3, undefined]);
});

test("SQN and AMF of a SIM are set without its keys (TS 33.102 §C.1.1)", async (t) => {
  const { client, cx } = await startApi(t);
  await client.add(row("a", { password: "x", k: K, opc: OPC, sqn: "0000000000ff" }));
  await client.add(row("c", { password: "x" }));
  const stored = () => cx.hss.byPrivateIdentity("a@example.com");
  const before = stored()?.credentials;
  assert.equal(stored()?.sqn, 255);
  await client.update("a@example.com", { credentials: { sqn: "000000000000" } });
  assert.equal(stored()?.sqn, 0);
  assert.deepEqual(stored()?.credentials, before);
  await client.update("a@example.com", { credentials: { amf: "9001" } });
  assert.deepEqual([...(stored()?.credentials.aka?.amf ?? [])], [0x90, 0x01]);
  assert.deepEqual(stored()?.credentials.aka?.opc, before?.aka?.opc);
  assert.deepEqual(stored()?.credentials.digest, before?.digest);
  assert.equal(
    await refusedWith(client.update("c@example.com", { credentials: { sqn: "000000000000" } }), 400),
    "credentials: c@example.com has no SIM credentials that amf or sqn could be of",
  );
  await refusedWith(client.update("a@example.com", { credentials: { opc: OPC } }), 400);
  await refusedWith(client.update("a@example.com", { credentials: {} }), 400);
});
